// Shows the document that the page names. Ours; the other files in this folder's subfolders are
// unmodified releases of Swagger UI and ReDoc, with their licences beside them.
const place = document.getElementById("swagger-ui");
SwaggerUIBundle({ url: place.dataset.document, domNode: place, deepLinking: true, validatorUrl: null });
