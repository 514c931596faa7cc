// The player's page: a lobby that asks for a seat, a connection that keeps it, and
// a stage that draws what the server says. The server alone moves anybody.

const $ = (id) => document.getElementById(id);
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

// ---- The seat: its id is the tab's, so a reload keeps it.

const seat = {
	get id() { return sessionStorage.getItem("psess"); },
	set id(id) { id ? sessionStorage.setItem("psess", id) : sessionStorage.removeItem("psess"); },
};

// ask returns the server's answer, or {reason} if it refuses or is not there.
async function ask(method, path, body) {
	const headers = {};
	if (seat.id) headers.Authorization = `Bearer ${seat.id}`;
	if (body) headers["Content-Type"] = "application/json";
	try {
		const r = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(5000) });
		return r.status === 204 ? {} : await r.json();
	} catch {
		return { reason: "unreachable" };
	}
}

// ---- The lobby.

const reasons = {
	unreachable: ["The arena does not answer", "The server is not there, or the network is not."],
	too_fast: ["Not so fast", "Wait a second, then try again."],
	invalid_field: ["Another name, please", "Up to 16 letters, digits and signs."],
	not_found: ["This seat is unknown", "The server does not know it any more; it may have been started anew."],
	timed_out: ["Your reservation timed out", "Nobody came for the seat in time, so it is free again: TIMEDOUT."],
	completed: ["Your seat is gone", "It waited for your return, but not for ever."],
	window_over: ["Your seat is gone", "It waited for your return, but not for ever."],
	kicked: ["You were kicked", "The operator ended your player session."],
	released: ["Your seat was given up", "In another tab, or by the operator."],
	returned: ["You play elsewhere", "Another tab has taken your seat over."],
	already_active: ["You play elsewhere", "Another tab has your seat."],
	draining: ["The arena is closing", "Nobody new gets in. Come again later."],
	closed: ["The arena has closed", "Thank you for playing."],
	terminated: ["The arena has closed", "Thank you for playing."],
};

function show(view) {
	for (const s of document.querySelectorAll("section[data-view]")) s.hidden = s.dataset.view !== view;
	$("lobby").hidden = !view;
	$("hud").hidden = $("leaders").hidden = view !== null && view !== "lost";
	if (view !== null) $("hint").classList.add("gone");
	document.body.dataset.view = view ?? "game";
	clearInterval(show.timer);
	if (view === "door" || view === "full") {
		look();
		show.timer = setInterval(look, 2000);
	}
}

// look tells how many seats are free.
async function look() {
	const { seats, held, reason } = await ask("GET", "/lobby");
	if (reason) {
		$("free").textContent = reasons[reason]?.[0] ?? "";
		return;
	}
	for (const list of document.querySelectorAll(".seats")) {
		list.replaceChildren(...Array.from({ length: seats }, (_, i) => {
			const dot = document.createElement("li");
			dot.className = i < held ? "held" : "";
			return dot;
		}));
	}
	const free = Math.max(seats - held, 0);
	$("free").textContent = `${free} of ${seats} ${seats === 1 ? "seat" : "seats"} free`;
	$("full-text").textContent = seats === 1 ? "The one seat is taken." : `All ${seats} seats are taken.`;
	$("full-free").textContent = free ? (free === 1 ? "One is free again!" : `${free} are free again!`) : "You will see here when one is free.";
}

function over(reason, button = "Back to the lobby", then = toDoor) {
	const [title, text] = reasons[reason] ?? ["The connection was refused", `Reason: ${reason || "none given"}.`];
	$("over-title").textContent = title;
	$("over-text").textContent = text;
	$("over-again").textContent = button;
	$("over-again").onclick = then;
	show("over");
}

function toDoor() {
	seat.id = null;
	$("notice").hidden = true;
	show("door");
}

async function reserve() {
	const button = $("reserve").querySelector("button");
	button.disabled = $("again").disabled = true;
	const t = await ask("POST", "/reserve", { name: $("name").value });
	button.disabled = $("again").disabled = false;
	if (t.reason === "full") return show("full");
	if (t.reason === "draining") return over("draining");
	if (t.reason) {
		show("door");
		$("notice").hidden = false;
		$("notice").textContent = (reasons[t.reason] ?? [t.reason]).join(". ");
		return;
	}
	seat.id = t.id;
	hold(t);
}

// hold shows a reservation, and how long it is.
function hold(t) {
	$("ticket-dot").style.setProperty("--hue", colour(t.hue));
	$("ticket-name").textContent = t.name;
	$("ticket-seat").textContent = `Seat ${t.seat + 1} is yours`;
	show("ticket");
	countdown("ticket", t.left_ms, t.of_ms, resume);
	$("enter").focus();
}

// countdown runs in a view until another is shown.
function countdown(view, left, of, then) {
	const end = performance.now() + left;
	clearInterval(countdown.timer);
	const step = () => {
		const rest = Math.max(end - performance.now(), 0);
		$(`${view}-left`).textContent = Math.ceil(rest / 1000);
		$(`${view}-ring`).style.strokeDashoffset = -(1 - rest / Math.max(of, 1));
		if (document.body.dataset.view !== view) return clearInterval(countdown.timer);
		if (rest > 0) return;
		clearInterval(countdown.timer);
		then?.();
	};
	countdown.timer = setInterval(step, 100);
	step();
}

// resume asks what has become of the seat, and goes on from there.
async function resume() {
	const t = await ask("GET", "/seat");
	if (t.status === "ACTIVE") return connect();
	if (t.status === "RESERVED") return hold(t);
	if (t.reason === "unreachable") return over(t.reason, "Try again", resume);
	seat.id = null;
	over(t.reason ?? { TIMEDOUT: "timed_out", COMPLETED: "completed" }[t.status]);
}

async function leave() {
	const socket = link.socket;
	link.socket = null; // what it has to say is no news
	link.lostAt = 0;
	await ask("DELETE", "/seat"); // before the socket closes, lest the seat waits
	socket?.close();
	toDoor();
}

// ---- The connection.

const link = { socket: null, generation: 0, lostAt: 0 };

function connect() {
	const url = new URL("/play", location.href);
	url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
	const socket = new WebSocket(url, ["usher", seat.id]);
	link.socket = socket;
	socket.onmessage = (e) => link.socket === socket && heard(JSON.parse(e.data));
	socket.onclose = (e) => link.socket === socket && closed(e);
}

function heard(message) {
	if (!("you" in message)) return stage.take(message);
	link.lostAt = 0;
	link.generation = message.generation;
	stage.begin(message);
	show(null);
	$("you-seat").textContent = `seat ${message.you + 1}`;
	$("hint").classList.remove("gone");
	if (matchMedia("(pointer: coarse)").matches) $("hint").textContent = "Hold a finger where you want to go";
	setTimeout(() => $("hint").classList.add("gone"), 6000);
}

// closed tells the player why; a connection that is lost without a reason is tried
// again, for as long as the seat waits.
function closed({ code, reason }) {
	link.socket = null;
	switch (code) {
	case 4401: case 4403: case 4410: case 4503: case 1008:
		seat.id = null;
		return over(code === 4401 ? "not_found" : reason);
	case 4409:
		return over(reason, "Play here instead", connect);
	}
	const waits = stage.world?.window_ms ?? 0;
	if (!link.lostAt) {
		link.lostAt = performance.now();
		show("lost");
		countdown("lost", waits, waits);
	}
	if (performance.now() - link.lostAt > waits + 2000) {
		link.lostAt = 0;
		return over("unreachable", "Try again", resume);
	}
	setTimeout(retry, 500);
}

// retry leaves the seat to another tab that has taken it, lest the two take turns.
async function retry() {
	if (!link.lostAt || !seat.id) return;
	const t = await ask("GET", "/seat");
	if (!link.lostAt || !seat.id) return; // left meanwhile
	if (t.reason === "unreachable") return closed({});
	if (t.status === "ACTIVE" && t.generation === link.generation) return connect();
	link.lostAt = 0;
	if (t.status === "ACTIVE") return over("returned", "Play here instead", connect);
	resume();
}

// ---- What the player wants.

const wish = { keys: new Set(), pointer: null, sent: "0,0" };
const directions = {
	KeyW: [0, -1], ArrowUp: [0, -1], KeyS: [0, 1], ArrowDown: [0, 1],
	KeyA: [-1, 0], ArrowLeft: [-1, 0], KeyD: [1, 0], ArrowRight: [1, 0],
};

addEventListener("keydown", (e) => {
	if (!directions[e.code] || document.body.dataset.view !== "game") return;
	e.preventDefault();
	wish.keys.add(e.code);
	tell();
});
addEventListener("keyup", (e) => { wish.keys.delete(e.code); tell(); });
addEventListener("blur", () => { wish.keys.clear(); wish.pointer = null; tell(); });
$("stage").addEventListener("pointerdown", (e) => { wish.pointer = [e.clientX, e.clientY]; $("stage").setPointerCapture(e.pointerId); });
$("stage").addEventListener("pointermove", (e) => { if (wish.pointer) wish.pointer = [e.clientX, e.clientY]; });
for (const end of ["pointerup", "pointercancel"]) $("stage").addEventListener(end, () => { wish.pointer = null; });

// direction is at most 1 long.
function direction() {
	let x = 0, y = 0;
	const me = stage.me();
	if (wish.pointer && me) {
		const [px, py] = stage.screen(me.x, me.y);
		x = (wish.pointer[0] - px) / 60;
		y = (wish.pointer[1] - py) / 60;
	}
	for (const key of wish.keys) {
		x += directions[key][0];
		y += directions[key][1];
	}
	const length = Math.max(Math.hypot(x, y), 1);
	return [x / length, y / length];
}

// tell says where to, if that is news.
function tell() {
	if (link.socket?.readyState !== WebSocket.OPEN) {
		wish.sent = "0,0";
		return;
	}
	const bytes = Int8Array.from(direction(), (v) => Math.round(v * 127));
	if (String(bytes) === wish.sent) return;
	wish.sent = String(bytes);
	link.socket.send(bytes);
}
setInterval(tell, 50);

// ---- The stage.

const colour = (hue, alpha = 1, light = 66) => `hsl(${hue} 85% ${light}% / ${alpha})`;
const delay = 75; // ms that we draw behind the server, so that there is a frame to go to
const farBack = 1000; // ms of frames that are kept

const stage = {
	canvas: $("stage"),
	ink: $("stage").getContext("2d"),
	world: null, // the greeting
	frames: [], // by time
	offset: Infinity, // from the server's ticks to our clock, by the frame that came fastest
	drawn: new Map(), // by seat: what is drawn, and its trail
	sparks: new Map(), // by number
	bursts: [],
	scale: 1, left: 0, top: 0,

	begin(world) {
		Object.assign(this, { world, frames: [], offset: Infinity, bursts: [] });
		this.drawn.clear();
		this.sparks.clear();
	},

	take(frame) {
		const now = performance.now();
		frame.time = frame.tick * this.world.tick_ms;
		this.offset = Math.min(this.offset + 0.2, now - frame.time); // forgets slowly: clocks drift
		this.frames.push(frame);
		while (this.frames.length > 2 && this.frames[0].time < frame.time - farBack) this.frames.shift();
		this.score(frame);
		this.list(frame);
	},

	// score makes a spark that somebody took burst.
	score(frame) {
		const there = new Set();
		for (const s of frame.sparks) {
			there.add(s.n);
			if (!this.sparks.has(s.n)) this.sparks.set(s.n, { ...s, born: this.sparks.size ? performance.now() : 0 });
		}
		for (const [n, s] of this.sparks) {
			if (there.has(n)) continue;
			this.sparks.delete(n);
			const by = frame.players.toSorted((a, b) => Math.hypot(a.x - s.x, a.y - s.y) - Math.hypot(b.x - s.x, b.y - s.y))[0];
			if (by && !still && this.bursts.length < 50) this.bursts.push({ x: s.x, y: s.y, worth: s.worth, hue: by.hue, at: performance.now() + delay });
		}
	},

	list({ players, closing_ms }) {
		const me = players.find((p) => p.seat === this.world.you);
		if (me) {
			$("you-name").textContent = me.name;
			$("you-dot").style.setProperty("--hue", colour(me.hue));
		}
		$("banner").hidden = !closing_ms;
		if (closing_ms) $("banner").textContent = `The arena closes in ${Math.ceil(closing_ms / 1000)} s`;
		const best = players.toSorted((a, b) => b.score - a.score || a.seat - b.seat);
		const text = JSON.stringify(best.map((p) => [p.seat, p.name, p.score, !!p.away_ms]));
		if (text === this.listed) return;
		this.listed = text;
		$("leaders").replaceChildren(...best.slice(0, 8).map((p) => {
			const row = document.createElement("li");
			row.className = `${p.seat === this.world.you ? "you" : ""} ${p.away_ms ? "away" : ""}`;
			row.append(document.createElement("i"), document.createElement("span"), document.createElement("span"));
			row.children[0].className = "dot";
			row.children[0].style.setProperty("--hue", p.away_ms ? "#64748b" : colour(p.hue));
			row.children[1].textContent = p.away_ms ? `${p.name} (away)` : p.name;
			row.children[2].textContent = p.score;
			return row;
		}));
	},

	me() { return this.world && this.drawn.get(this.world.you); },
	screen(x, y) { return [x * this.scale + this.left, y * this.scale + this.top]; },

	// settle moves what is drawn to where it was, on the server, a moment ago.
	settle(now) {
		const last = this.frames.at(-1);
		if (!last) return;
		const time = now - this.offset - delay;
		let i = this.frames.length - 1;
		while (i > 0 && this.frames[i - 1].time > time) i--;
		const to = this.frames[i], from = this.frames[i - 1] ?? to;
		const share = to === from ? 1 : Math.min(Math.max((time - from.time) / (to.time - from.time), 0), 1);
		const before = new Map(from.players.map((p) => [p.seat, p]));
		for (const p of to.players) {
			const b = before.get(p.seat) ?? p;
			const d = this.drawn.get(p.seat) ?? { trail: [], look: [0, 0] };
			const x = b.x + (p.x - b.x) * share, y = b.y + (p.y - b.y) * share;
			if (d.x !== undefined) {
				const far = Math.hypot(x - d.x, y - d.y);
				if (far > 200) d.trail = []; // somebody else, or back from long ago
				const want = far > .4 ? [(x - d.x) / far, (y - d.y) / far] : [0, 0];
				d.look = d.look.map((v, j) => v + (want[j] - v) * .15);
			}
			d.trail.push([x, y]);
			if (d.trail.length > 26) d.trail.shift();
			Object.assign(d, p, { x, y });
			this.drawn.set(p.seat, d);
		}
		const there = new Set(to.players.map((p) => p.seat));
		for (const s of this.drawn.keys()) if (!there.has(s)) this.drawn.delete(s);
	},

	// fit shows the whole world, or on a small screen what is around the player.
	fit() {
		const dpr = Math.min(devicePixelRatio || 1, 3);
		const w = innerWidth, h = innerHeight;
		if (this.canvas.width !== Math.round(w * dpr) || this.canvas.height !== Math.round(h * dpr)) {
			this.canvas.width = Math.round(w * dpr);
			this.canvas.height = Math.round(h * dpr);
		}
		const { width, height } = this.world ?? { width: 1600, height: 900 };
		const edge = 12, head = this.world ? 58 : edge; // the buttons stand in the head
		const whole = Math.min((w - 2 * edge) / width, (h - head - edge) / height);
		this.scale = whole < .5 ? .65 : whole;
		const me = this.me() ?? { x: width / 2, y: height / 2 };
		const place = (first, room, size, at) => {
			const spare = room - size * this.scale;
			if (spare >= 0) return first + spare / 2;
			return first + Math.min(Math.max(room / 2 - at * this.scale, spare), 0);
		};
		this.left = place(edge, w - 2 * edge, width, me.x);
		this.top = place(head, h - head - edge, height, me.y);
		this.ink.setTransform(dpr, 0, 0, dpr, 0, 0);
		this.ink.clearRect(0, 0, w, h);
		this.ink.setTransform(dpr * this.scale, 0, 0, dpr * this.scale, dpr * this.left, dpr * this.top);
	},

	draw(now) {
		this.settle(now);
		this.fit();
		this.floor();
		if (!this.world) return this.drift(now);
		for (const s of this.sparks.values()) this.spark(s, now);
		if (!still) for (const d of this.drawn.values()) this.trail(d);
		for (const d of this.drawn.values()) this.avatar(d, now);
		this.bursts = this.bursts.filter((b) => this.burst(b, now));
		this.clear();
	},

	// clear lets players see themselves under the list.
	clear() {
		const me = this.me(), list = $("leaders"), room = 40;
		const [x, y] = me ? this.screen(me.x, me.y) : [-1, -1];
		list.classList.toggle("under", x > list.offsetLeft - room && y < list.offsetTop + list.offsetHeight + room);
	},

	floor() {
		const c = this.ink, { width, height } = this.world ?? { width: 1600, height: 900 };
		c.beginPath();
		c.roundRect(0, 0, width, height, 28);
		c.fillStyle = "#0c1119";
		c.fill();
		c.lineWidth = 2;
		c.strokeStyle = "#1f2a3a";
		c.stroke();
		c.fillStyle = "#1c2635";
		for (let x = 50; x < width; x += 50) for (let y = 50; y < height; y += 50) c.fillRect(x - 1.5, y - 1.5, 3, 3);
	},

	// drift is what goes on behind the lobby.
	drift(now) {
		for (let i = 0; i < 26; i++) {
			const t = still ? 0 : now / 9000;
			const x = 800 + 740 * Math.sin(i * 2.4 + t * (1 + i % 3 * .3)), y = 450 + 400 * Math.cos(i * 1.7 + t * (1.2 - i % 4 * .2));
			this.spark({ n: i, x, y, worth: i % 7 ? 1 : 5, born: 0 }, now);
		}
	},

	glow(x, y, r, hue, strength) {
		const c = this.ink, g = c.createRadialGradient(x, y, 0, x, y, r);
		g.addColorStop(0, colour(hue, strength));
		g.addColorStop(1, colour(hue, 0));
		c.globalCompositeOperation = "lighter";
		c.fillStyle = g;
		c.fillRect(x - r, y - r, 2 * r, 2 * r);
		c.globalCompositeOperation = "source-over";
	},

	spark(s, now) {
		const c = this.ink, golden = s.worth > 1;
		const pulse = still ? 0 : Math.sin(now / 260 + s.n * 1.9);
		const grown = Math.min(Math.max((now - s.born) / 300, 0), 1);
		const r = (golden ? 11 : 6.5) * (1 + pulse * .12) * grown;
		this.glow(s.x, s.y, r * 4.6, golden ? 42 : 195, .32 + pulse * .08);
		c.save();
		c.translate(s.x, s.y);
		c.rotate(still ? .3 : now / 1400 + s.n);
		c.beginPath();
		const points = golden ? 5 : 4;
		for (let i = 0; i < points * 2; i++) {
			const reach = i % 2 ? r * .45 : r * 1.25;
			c.lineTo(Math.cos(i * Math.PI / points) * reach, Math.sin(i * Math.PI / points) * reach);
		}
		c.closePath();
		c.fillStyle = golden ? "#ffdf8a" : "#d5f4ff";
		c.fill();
		c.restore();
	},

	trail({ trail, hue, away_ms }) {
		if (away_ms) return;
		const c = this.ink, [tail, head] = [trail[0], trail.at(-1)];
		if (Math.hypot(head[0] - tail[0], head[1] - tail[1]) < 4) return;
		const left = [], right = [];
		for (let i = 1; i < trail.length; i++) {
			const [x, y] = trail[i], [dx, dy] = [x - trail[i - 1][0], y - trail[i - 1][1]];
			const far = Math.hypot(dx, dy);
			if (far < .2) continue;
			const wide = 17 * i / trail.length / far;
			left.push([x - dy * wide, y + dx * wide]);
			right.push([x + dy * wide, y - dx * wide]);
		}
		const g = c.createLinearGradient(...tail, ...head);
		g.addColorStop(0, colour(hue, 0));
		g.addColorStop(1, colour(hue, .42));
		c.fillStyle = g;
		c.beginPath();
		for (const p of [tail, ...left, ...right.reverse()]) c.lineTo(...p);
		c.fill();
	},

	avatar({ x, y, hue, name, seat, look, away_ms }, now) {
		const c = this.ink, r = 22, mine = seat === this.world.you;
		if (!away_ms) this.glow(x, y, r * 3, hue, mine ? .4 : .26);
		c.beginPath();
		c.arc(x, y, r, 0, 2 * Math.PI);
		const g = c.createRadialGradient(x - 7, y - 9, 2, x, y, r * 1.1);
		g.addColorStop(0, away_ms ? "#5b6676" : colour(hue, 1, 80));
		g.addColorStop(1, away_ms ? "#353e4b" : colour(hue, 1, 52));
		c.fillStyle = g;
		c.fill();
		if (mine) {
			c.beginPath();
			c.arc(x, y, r + 5, 0, 2 * Math.PI);
			c.lineWidth = 2;
			c.strokeStyle = "#ffffffb0";
			c.stroke();
		}
		this.eyes(x, y, look, away_ms, now + seat * 900);
		if (away_ms) this.waits(x, y, r + 9, 1 - away_ms / this.world.window_ms);
		c.font = "600 19px system-ui, sans-serif";
		c.textAlign = "center";
		c.lineWidth = 4;
		c.strokeStyle = "#080b11cc";
		const line = y + r + 34 > this.world.height ? y - r - 14 : y + r + 27;
		c.strokeText(name, x, line);
		c.fillStyle = away_ms ? "#94a3b8" : mine ? "#ffffff" : colour(hue, 1, 80);
		c.fillText(name, x, line);
	},

	eyes(x, y, look, closed, now) {
		const c = this.ink, blink = closed || (!still && now % 3700 < 130);
		for (const side of [-1, 1]) {
			const ex = x + side * 7 + look[0] * 7, ey = y - 2 + look[1] * 7;
			c.beginPath();
			if (blink) {
				c.moveTo(ex - 3.5, ey);
				c.lineTo(ex + 3.5, ey);
				c.lineWidth = 2.4;
				c.lineCap = "round";
				c.strokeStyle = "#0a0f16";
				c.stroke();
			} else {
				c.ellipse(ex, ey, 3.2, 4.4, 0, 0, 2 * Math.PI);
				c.fillStyle = "#0a0f16";
				c.fill();
			}
		}
	},

	// waits is how much longer a seat waits for its player.
	waits(x, y, r, share) {
		const c = this.ink;
		c.lineWidth = 4;
		c.lineCap = "round";
		c.beginPath();
		c.arc(x, y, r, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.max(share, 0));
		c.strokeStyle = "#9d9bff";
		c.stroke();
	},

	// burst is true while there is something to see.
	burst({ x, y, worth, hue, at }, now) {
		const c = this.ink, t = (now - at) / 700;
		if (t < 0 || t >= 1) return t < 0;
		const fade = 1 - t, out = 1 - fade ** 3;
		c.beginPath();
		c.arc(x, y, 14 + 46 * out, 0, 2 * Math.PI);
		c.lineWidth = 3 * fade;
		c.strokeStyle = colour(hue, fade * .8);
		c.stroke();
		c.fillStyle = colour(hue, fade, 76);
		for (let i = 0; i < 8; i++) {
			const a = i * Math.PI / 4 + x, d = 18 + 52 * out;
			c.beginPath();
			c.arc(x + Math.cos(a) * d, y + Math.sin(a) * d, 3.4 * fade, 0, 2 * Math.PI);
			c.fill();
		}
		c.font = `700 ${worth > 1 ? 30 : 22}px system-ui, sans-serif`;
		c.textAlign = "center";
		c.fillText(`+${worth}`, x, y - 26 - 30 * out);
		return true;
	},
};

requestAnimationFrame(function paint(now) {
	requestAnimationFrame(paint);
	stage.draw(now);
});

// ---- Begin.

$("reserve").addEventListener("submit", (e) => { e.preventDefault(); reserve(); });
$("again").addEventListener("click", reserve);
$("enter").addEventListener("click", connect);
for (const id of ["leave", "give-up", "lost-leave"]) $(id).addEventListener("click", leave);
addEventListener("pagehide", () => link.socket?.close()); // the seat waits
addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });
seat.id ? resume() : toDoor();
globalThis.arena = { stage, link }; // for the console
