// Files dropped on a form, or chosen: counted, sent with progress, and followed to what came of them.

const MOST = 512 * 1024 * 1024;

export function drops(forms) {
  for (const form of forms) new Drop(form);
}

class Drop {
  constructor(form) {
    this.form = form;
    this.files = []; // {file, name}
    this.input = form.querySelector("input[type=file][name=files]");
    const folder = form.querySelector("[data-folder]");
    folder.hidden = false;
    this.input.addEventListener("change", () => this.take(chosen(this.input.files)));
    const inside = folder.querySelector("input");
    inside.addEventListener("change", () => this.take(chosen(inside.files)));
    for (const name of ["dragenter", "dragover"]) form.addEventListener(name, (event) => this.over(event, true));
    for (const name of ["dragleave", "drop"]) form.addEventListener(name, (event) => this.over(event, false));
    form.addEventListener("drop", async (event) => this.take(await dropped(event.dataTransfer)));
    form.addEventListener("submit", (event) => this.send(event));
  }

  over(event, on) {
    event.preventDefault();
    this.form.classList.toggle("over", on);
  }

  take(files) {
    this.files = files;
    this.input.required = !files.length;
    const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
    this.say(`${files.length} ${files.length === 1 ? "file" : "files"}, ${megabytes(bytes)}`);
    this.fail(bytes > MOST ? `That is more than ${megabytes(MOST)} at a time; send it in several goes.` : "");
  }

  say(text) {
    this.form.querySelector(".drop-chosen").textContent = text;
  }

  fail(text) {
    const place = this.form.querySelector(".drop-error");
    place.textContent = text;
    place.hidden = !text;
  }

  send(event) {
    if (!this.files.length) return; // the browser sends what its own control holds, or says what lacks
    event.preventDefault();
    const data = new FormData();
    for (const [name, value] of new FormData(this.form)) if (name !== "files") data.append(name, value);
    for (const { file, name } of this.files) data.append("files", file, name);
    const request = new XMLHttpRequest();
    request.open("POST", this.form.action);
    request.setRequestHeader("Accept", "application/problem+json");
    request.upload.onprogress = ({ loaded, total }) => this.say(`sending, ${Math.floor((100 * loaded) / total)}%`);
    request.onload = () => this.sent(request);
    request.onerror = () => this.fail("The files could not be sent: musai is not answering, or they are too large.");
    this.fail("");
    request.send(data);
  }

  sent(request) {
    if (request.status < 400) {
      location.assign(request.responseURL);
      return;
    }
    let said = `it answered ${request.status}`;
    try {
      said = JSON.parse(request.responseText).detail;
    } catch {
      // Not problem details: the number must do.
    }
    this.say("not sent");
    this.fail(said);
  }
}

function megabytes(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Files of a control; those of a folder keep their place in it. */
function chosen(files) {
  return [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
}

/** Files of a drop, folders walked through; hidden ones are left out. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return chosen(transfer.files);
  const found = [];
  for (const entry of entries) await walk(entry, "", found);
  return found;
}

async function walk(entry, path, found) {
  if (entry.name.startsWith(".")) return;
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    found.push({ file, name: path + entry.name });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const inside of some) await walk(inside, `${path}${entry.name}/`, found);
  }
}
