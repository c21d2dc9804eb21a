// Opens GraphiQL on the address that the page names. Subscriptions come by server-sent events.
(function () {
  "use strict";
  var place = document.getElementById("graphiql");
  var address = place.dataset.address;

  async function* events(response) {
    var decoder = new TextDecoder(), reader = response.body.getReader(), text = "";
    try {
      for (;;) {
        var part = await reader.read();
        if (part.done) return;
        text += decoder.decode(part.value, { stream: true });
        for (var end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
          var name = "", data = "";
          text.slice(0, end).split("\n").forEach(function (line) {
            if (line.startsWith("event: ")) name = line.slice(7);
            if (line.startsWith("data: ")) data += line.slice(6);
          });
          if (name === "next") yield JSON.parse(data);
          if (name === "complete") return;
        }
      }
    } finally {
      reader.cancel();
    }
  }

  function streams(parameters, options) {
    if (!options.documentAST) return /^\s*subscription\b/m.test(parameters.query);
    var list = options.documentAST.definitions.filter(function (d) {
      return d.kind === "OperationDefinition" && (!parameters.operationName || (d.name && d.name.value === parameters.operationName));
    });
    return list.length > 0 && list[0].operation === "subscription";
  }

  async function fetcher(parameters, options) {
    options = options || {};
    var stream = streams(parameters, options);
    var response = await fetch(stream ? address + "/stream" : address, {
      method: "POST",
      headers: Object.assign({ "content-type": "application/json", accept: stream ? "text/event-stream" : "application/json" }, options.headers),
      body: JSON.stringify(parameters),
    });
    return stream && response.ok ? events(response) : response.json();
  }

  ReactDOM.createRoot(place).render(React.createElement(GraphiQL, { fetcher: fetcher, defaultEditorToolsVisibility: true }));
})();
