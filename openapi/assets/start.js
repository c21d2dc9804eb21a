// Starts Swagger UI on the document that the page names. A file of its own: the page's policy allows no inline script.
"use strict";

window.addEventListener("DOMContentLoaded", async () => {
  const place = document.getElementById("swagger-ui");
  const address = new URL(place.dataset.document, document.baseURI).href;
  try {
    const answer = await fetch(address);
    if (!answer.ok) {
      throw new Error(`${address} answered ${answer.status}`);
    }
    start(place, address, offline(await answer.json()));
  } catch (error) {
    place.textContent = `The document could not be loaded: ${error.message}`;
  }
});

// offline has Swagger UI ask for a token where it would fetch an OpenID provider's configuration from another site.
function offline(spec) {
  const schemes = (spec.components && spec.components.securitySchemes) || {};
  for (const [name, scheme] of Object.entries(schemes)) {
    if (scheme.type === "openIdConnect") {
      const description = [scheme.description, `A token of the OpenID provider described at ${scheme.openIdConnectUrl}`];
      schemes[name] = { type: "http", scheme: "bearer", description: description.filter(Boolean).join("\n\n") };
    }
  }
  return spec;
}

function start(place, url, spec) {
  window.SwaggerUIBundle({
    spec,
    url,
    domNode: place,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    displayRequestDuration: true,
    validatorUrl: null, // asks no foreign host
  });
}
