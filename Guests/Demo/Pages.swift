// The demo's pages and their look.

let html: Text = "text/html; charset=utf-8"

let styleSheet: Text = """
  :root { color-scheme: light dark;
    --text: #1c2330; --soft: #5b6472; --line: #d9dee6; --page: #fbfcfd; --mark: #0b62c4 }
  @media (prefers-color-scheme: dark) {
    :root { --text: #e4e8ee; --soft: #98a2b3; --line: #2c3440; --page: #12161c; --mark: #6cb2ff }
  }
  body { font: 16px/1.55 system-ui, sans-serif; color: var(--text); background: var(--page); margin: 0 }
  main { max-width: 44rem; margin: 0 auto; padding: 3rem 1.25rem }
  h1 { font-size: 1.6rem; margin: 0 0 .5rem }
  p { color: var(--soft); margin: 0 0 1.5rem }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .6rem 1.25rem; margin: 0 0 2rem;
    border-top: 1px solid var(--line); padding-top: 1.25rem }
  dt, code { font: 14px/1.7 ui-monospace, monospace }
  dd { margin: 0; color: var(--soft) }
  a { color: var(--mark); text-decoration: none }
  a:hover, a:focus { text-decoration: underline }
  input, button { font: inherit; color: inherit; background: transparent; border: 1px solid var(--line);
    border-radius: 6px; padding: .3rem .6rem }
  button { cursor: pointer }
  @media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: .1rem } dd { margin-bottom: .6rem } }

  """

/// A whole page around its content.
func page(title: Text, _ content: Text) -> Text {
  """
  <!doctype html>
  <html lang="en">
  <head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>\(title)</title>
  <link rel="stylesheet" href="/style.css">
  </head>
  <body><main>
  \(content)
  </main></body>
  </html>

  """
}

func frontPage() -> Text {
  page(
    title: "fastlike demo",
    """
    <h1>fastlike demo</h1>
    <p>This page comes from a WebAssembly program that runs in a fresh sandbox for every request. Each link below runs
    it again and shows one thing that edge programs do. Send the header <code>fastlike-verbose: 1</code> with a request,
    and the server prints its hostcalls.</p>
    <dl>
    <dt><a href="/slow">/slow</a></dt><dd>asks a backend that takes 400 ms, then computes on the answer</dd>
    <dt><a href="/parallel">/parallel</a></dt><dd>asks three backends at once and merges what they say</dd>
    <dt><a href="/stream">/stream</a></dt><dd>sends a line every 200 ms, for two seconds</dd>
    <dt><a href="/cpu">/cpu</a></dt><dd>computes for about 50 ms of CPU time</dd>
    <dt><a href="/early-hints">/early-hints</a></dt><dd>names the style sheet in a 103 before the page is ready</dd>
    <dt><a href="/error">/error</a></dt><dd>ends with a trap, as a program with a bug does</dd>
    <dt><a href="/backend-error">/backend-error</a></dt><dd>asks a backend that refuses the connection</dd>
    <dt>/echo</dt><dd><form method="post" action="/echo" enctype="text/plain">
    <input name="message" value="hello" aria-label="Message"> <button>Send</button></form>
    streams the request's body back</dd>
    </dl>
    """)
}

func notFoundPage(_ path: Text) -> Text {
  page(
    title: "Not found",
    "<h1>Not found</h1>\n<p>The demo has nothing at <code>\(path.htmlEscaped)</code>. <a href=\"/\">Start</a></p>")
}

extension Text {
  /// The text with the characters that mean something in HTML replaced.
  var htmlEscaped: Text {
    var result = Text()
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "&"): result += "&amp;"
      case UInt8(ascii: "<"): result += "&lt;"
      case UInt8(ascii: ">"): result += "&gt;"
      case UInt8(ascii: "\""): result += "&quot;"
      default: result += Text([byte])
      }
    }
    return result
  }
}
