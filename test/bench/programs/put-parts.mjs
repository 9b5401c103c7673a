// Uploads a file by signed URLs of parts, four at a time, from buffers that are used again: what plain node:http costs.
// Arguments: the file, a JSON file with {"partBytes": …, "urls": […]}.
import { open, readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';

const [file, plan] = process.argv.slice(2);
const { partBytes, urls } = JSON.parse(await readFile(plan, 'utf8'));
const source = await open(file);
const agent = new Agent({ keepAlive: true });
let next = 0;

const put = (url, content) =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method: 'PUT', agent, headers: { 'content-length': content.length } }, (answer) => {
      answer.resume();
      answer.once('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`answer ${answer.statusCode}`)),
      );
    });
    sent.once('error', reject);
    sent.end(content);
  });

async function work() {
  const buffer = Buffer.allocUnsafeSlow(partBytes);
  for (let index = next++; index < urls.length; index = next++) {
    const { bytesRead } = await source.read(buffer, 0, partBytes, index * partBytes);
    await put(urls[index], buffer.subarray(0, bytesRead));
  }
}

await Promise.all(Array.from({ length: 4 }, work));
await source.close();
agent.destroy();
