#!/bin/bash
# What `bin/elasticsearch` of a distribution does; the one that is used for tests has it in another folder.
source "`dirname "$0"`"/elasticsearch-env
CLI_JAVA_OPTS="-Xms4m -Xmx64m -XX:+UseSerialGC ${CLI_JAVA_OPTS}"
if [ -d "$ES_HOME/lib/tools/server-launcher" ]; then
  export JAVA ES_HOME ES_PATH_CONF ES_DISTRIBUTION_TYPE JAVA_TYPE CLI_JAVA_OPTS
  exec "$JAVA" $CLI_JAVA_OPTS -cp "$ES_HOME/lib/tools/server-launcher/*" org.elasticsearch.server.launcher.ServerLauncher "$@"
fi
exec "$JAVA" $CLI_JAVA_OPTS -Dcli.name=server -Dcli.script="$0" -Dcli.libs=lib/tools/server-cli \
  -Des.path.home="$ES_HOME" -Des.path.conf="$ES_PATH_CONF" -Des.distribution.type=zip -Des.java.type="$JAVA_TYPE" \
  -cp "$ES_HOME/lib/*:$ES_HOME/lib/cli-launcher/*" org.elasticsearch.launcher.CliToolLauncher "$@"
