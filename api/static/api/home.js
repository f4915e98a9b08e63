const element = (id) => document.getElementById(id);
const percent = (share) => `${(100 * share).toFixed(1)} %`;

async function ask(path, options) {
  const response = await fetch(path, options);
  const answer = await response.json();
  if (response.ok) return answer;
  const messages = answer.errors ? Object.values(answer.errors).flat() : [answer.detail];
  throw new Error(messages.join(" "));
}

function show(verdict) {
  element("word").textContent = verdict.is_hate_speech ? "Hate speech" : "Not hate speech";
  element("probability").textContent = `${percent(verdict.probability)}, called hate speech from ${percent(verdict.threshold)}`;
  element("bar").style.width = percent(verdict.probability).replace(" ", "");
  element("threshold").style.left = percent(verdict.threshold).replace(" ", "");
  element("verdict").className = verdict.is_hate_speech ? "hateful" : "";
  element("version").textContent = `Version ${verdict.version}`;
}

element("try").addEventListener("submit", async (event) => {
  event.preventDefault();
  let problem = "";
  try {
    const headers = { "Content-Type": "application/json" };
    show(await ask("/predict", { method: "POST", headers, body: JSON.stringify({ tweet: element("tweet").value }) }));
  } catch (error) {
    problem = error.message;
  }
  element("problem").textContent = problem;
  element("problem").hidden = !problem;
  element("verdict").hidden = Boolean(problem);
});

async function showScore() {
  try {
    const score = await ask("/score");
    element("score").textContent =
      `F1 ${score.score.toFixed(3)} on ${score.held_out.toLocaleString("en")} held-out tweets ` +
      `(precision ${score.precision.toFixed(3)}, recall ${score.recall.toFixed(3)}), ` +
      `trained on ${score.trained_on.toLocaleString("en")}.` +
      (score.held_out < 300 ? " So few tweets, and alike as the starter tweets are, say little: bring your own." : "");
  } catch (error) {
    element("score").textContent = error.message;
    setTimeout(showScore, 2000);
  }
}
showScore();
