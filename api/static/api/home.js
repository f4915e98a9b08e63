const element = (id) => document.getElementById(id);
const percent = (share) => `${(100 * share).toFixed(1)} %`;

async function ask(path, options = {}) {
  const key = sessionStorage.getItem("apiKey");
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  const response = await fetch(path, { ...options, headers });
  const answer = await response.json();
  if (response.ok) return answer;
  const isRefused = response.status === 401 || answer.code === "scope_missing";
  if (isRefused && key === sessionStorage.getItem("apiKey")) askForKey(); // not if another was given meanwhile
  const messages = answer.errors ? Object.values(answer.errors).flat() : [answer.detail];
  throw Object.assign(new Error(messages.join(" ")), { status: response.status });
}

// A key that is missing, not valid or without the scope: ask for one, and for nothing else until it is there.
function askForKey() {
  sessionStorage.removeItem("apiKey");
  element("access").hidden = false;
}

element("access").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("apiKey", element("key").value.trim());
  element("key").value = "";
  element("access").hidden = true;
  element("problem").hidden = true;
  showScore();
});

function show(text, verdict) {
  element("word").textContent = verdict.is_hate_speech ? "Hate speech" : "Not hate speech";
  element("probability").textContent = `${percent(verdict.probability)}, called hate speech from ${percent(verdict.threshold)}`;
  element("bar").style.width = percent(verdict.probability).replace(" ", "");
  element("threshold").style.left = percent(verdict.threshold).replace(" ", "");
  element("verdict").className = verdict.is_hate_speech ? "hateful" : "";
  element("version").textContent = `Version ${verdict.version}`;
  showTargets(verdict.targets ?? []);
  showLanguage(verdict.language);
  showReasons(text, verdict.explanation);
}

// Present if the text is called hate speech. It need not attack a group that the model knows.
function showTargets(targets) {
  element("targets").hidden = !targets.length;
  const named = targets.map((target) => `${target.group} (${percent(target.probability)})`);
  element("targets").textContent = `It attacks ${named.join(", ")}.`;
}

// Present if the text is not English.
function showLanguage(code) {
  element("language").hidden = !code;
  if (!code) return;
  const name = code === "und" ? "a language unknown here" : new Intl.DisplayNames(["en"], { type: "language" }).of(code);
  element("language").textContent = `This text seems to be in ${name}. The models have learned English only.`;
}

// The text again, each word on the colour of what it adds: the more it speaks for or against hate, the stronger.
function showReasons(text, explanation) {
  element("reasons").hidden = !explanation;
  if (!explanation) return;
  const characters = Array.from(text); // places count code points
  const most = Math.max(...explanation.words.map((word) => Math.abs(word.contribution)), 0.5);
  const parts = [];
  let at = 0;
  for (const word of explanation.words) {
    parts.push(characters.slice(at, word.start).join(""));
    const mark = document.createElement("mark");
    mark.textContent = word.word;
    mark.title = `${word.contribution > 0 ? "+" : ""}${word.contribution.toFixed(2)}`;
    mark.style.setProperty("--share", percent(Math.abs(word.contribution) / most).replace(" ", ""));
    mark.className = word.contribution > 0 ? "for" : "against";
    parts.push(mark);
    at = word.end;
  }
  element("words").replaceChildren(...parts, characters.slice(at).join(""));
}

element("try").addEventListener("submit", async (event) => {
  event.preventDefault();
  let problem = "";
  try {
    const headers = { "Content-Type": "application/json" };
    const asked = { tweet: element("tweet").value, explain: "explains" in element("try").dataset };
    show(asked.tweet, await ask(element("try").dataset.path, { method: "POST", headers, body: JSON.stringify(asked) }));
  } catch (error) {
    problem = error.message;
  }
  element("problem").textContent = problem;
  element("problem").hidden = !problem;
  element("verdict").hidden = Boolean(problem);
});

// There is no score before the first training has ended, and no answer while the service starts again: then ask once more, each
// time later.
async function showScore(waitSeconds = 2) {
  try {
    const score = await ask(element("score").dataset.path);
    element("score").textContent =
      `F1 ${score.score.toFixed(3)} on ${score.slices[score.of].n.toLocaleString("en")} ` +
      (score.of === "shipped" ? "texts of the evaluation set that comes with it " : "held-out tweets ") +
      `(precision ${score.precision.toFixed(3)}, recall ${score.recall.toFixed(3)}), ` +
      `trained on ${score.trained_on.toLocaleString("en")} of your own.` +
      (score.of === "held_out" && score.held_out < 300 ? " So few tweets say little: bring your own." : "");
  } catch (error) {
    element("score").textContent = error.message;
    const mayComeLater = error.status === undefined || error.status === 503;
    if (mayComeLater) setTimeout(showScore, waitSeconds * 1000, Math.min(2 * waitSeconds, 60));
  }
}
showScore();
