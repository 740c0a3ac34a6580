// The front of the shop: one page, made of what the services catalogue and cart answer.
using System.Text.Json.Nodes;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://0.0.0.0:8080");
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddSingleton<Services>();
var app = builder.Build();
app.MapGet("/healthz", () => "ok");
app.MapGet("/", async (Services services, CancellationToken cancellationToken) =>
{
    var catalogue = await services.GetAsync("catalogue", "/products", cancellationToken);
    var cart = await services.GetAsync("cart", "/carts/me", cancellationToken);
    return $"""
        Weft shop, served by {Environment.MachineName}

        catalogue {(string?)catalogue["version"]} ({(string?)catalogue["pod"]}):
        {string.Join('\n', catalogue["products"]!.AsArray().Select(p => $"  {(string?)p!["name"],-10}{(int)p["price"]!,5}"))}

        your cart ({(string?)cart["pod"]}): {(cart["items"]!.AsArray() is { Count: > 0 } items ? string.Join(", ", items.Select(i => (string?)i)) : "empty")}

        """;
});
app.MapPost("/cart/{item}", async (string item, Services services, CancellationToken cancellationToken) =>
    (await services.PostAsync("cart", $"/carts/me/{Uri.EscapeDataString(item)}", cancellationToken)).ToJsonString() + "\n");
Console.WriteLine($"front is up, {Environment.MachineName}");
app.Run();
