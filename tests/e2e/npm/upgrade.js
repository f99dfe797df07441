// SPDX-License-Identifier: Apache-2.0
// A host in JavaScript: sends the lines of its arguments one after the other, each after
// the final result of the one before, then waits for "+CSCFOTA: 3".
"use strict";
const { SerialPort, ReadlineParser } = require("serialport");

const [path, ...lines] = process.argv.slice(2);
const port = new SerialPort({ path, baudRate: 115200 });
const parser = port.pipe(new ReadlineParser({ delimiter: "\r\n" }));

function next() {
	const line = lines.shift();
	if (line !== undefined) port.write(line + "\r");
}

function end(status) {
	port.close(() => process.exit(status));
}

parser.on("data", (text) => {
	if (text === "") return;
	console.log(text);
	if (text === "OK") next();
	if (text.startsWith("ERROR") || text.startsWith("+CME ERROR")) end(1);
	if (text === "+CSCFOTA: 3") end(0);
});
port.on("error", (error) => {
	console.error(error.message);
	process.exit(2);
});
port.on("open", next);
