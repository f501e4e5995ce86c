"""The scan of an application's code: a made-up project with SQL in every tenth line."""

import random

from measure import run
from result import at_most

FILES, FUNCTIONS = 2000, 50
LIMIT = 5.0  # seconds for a million lines
STATEMENTS = [
    "SELECT id, content FROM Message WHERE conversationId = ? ORDER BY timestamp DESC LIMIT 20",
    "INSERT OR REPLACE INTO ConversationParticipant (conversationId, userId, role) VALUES (?, ?, 'MEMBER')",
    "UPDATE User SET isOnline = 1, lastSeen = datetime('now') WHERE id = ?",
    "SELECT strftime('%Y-%m', timestamp / 1000, 'unixepoch') AS m, count(*) FROM Message GROUP BY m",
    "DELETE FROM Message WHERE rowid IN (SELECT rowid FROM Message WHERE content LIKE '%x%' LIMIT 5, 10)",
]


def function(number, file, statement):
    query = (
        f"await context.db.all('{statement}', [value, {number}])"
        if "'" not in statement
        else f"await context.db.all(`{statement}`, [value, {number}])"
    )
    return f"""/** Does the thing number {number} of module {file}, as it has to be done. */
export async function handler{number}(input: Record<string, unknown>, context: Context) {{
  const value = input['field{number}'] as string; // what was typed
  if (!value || value.length > {number + 7}) throw new BadRequest('Please select a valid value for the field.');
  const rows = {query};
  const mapped = rows.map((row) => ({{ ...row, label: `${{row.id}}-${{value}}`, index: {number} }}));
  context.log.info({{ count: mapped.length, module: 'm{file}' }}, 'handled the request');
  return mapped.filter((row) => row.index >= 0 && /^[a-z]+$/.test(row.label));
}}

"""


def make(folder):
    chance = random.Random(7)
    for file in range(FILES):
        place = folder / f"m{file // 50}"
        place.mkdir(parents=True, exist_ok=True)
        text = "".join(function(number, file, chance.choice(STATEMENTS)) for number in range(FUNCTIONS))
        (place / f"f{file}.ts").write_text(text)


def scan(bench):
    folder = bench.folder / "code"
    make(folder)
    lines = FILES * FUNCTIONS * 10
    words = f"scan of {lines:,} lines of code, {FILES * FUNCTIONS:,} statements in them"

    def once():
        finished = run([str(bench.project.binary), "scan", str(folder)], environment=bench.environment)
        if f"{lines:,} lines of {FILES:,} files" not in finished.output:
            raise ValueError(f"the scan did not read all: {finished.output[-200:]}")
        return finished

    results = [once() for _ in range(bench.runs)]
    return [at_most(words, [result.seconds for result in results], LIMIT, "{:.2f} s")]
