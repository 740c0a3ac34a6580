// The front of the shop: one page, made of what the services catalogue and cart answer.
using System.Text.Json.Nodes;

// `shop-front get http://cart/carts/me` asks as the pod in which it is run.
if (args is ["get" or "post", var address])
    return await Asking.RunAsync(args[0] == "get" ? HttpMethod.Get : HttpMethod.Post, address);

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://0.0.0.0:8080");
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddSingleton<Services>();
var app = builder.Build();
app.MapGet("/healthz", () => "ok");
app.MapGet("/", (HttpRequest request, Services services, CancellationToken cancellationToken) => Answer(async () =>
{
    var (catalogue, cart) = await ShopAsync(services, request, cancellationToken);
    return Results.Text($"""
        Weft shop, served by {Environment.MachineName}

        catalogue {(string?)catalogue["version"]} ({(string?)catalogue["pod"]}):
        {string.Join('\n', catalogue["products"]!.AsArray().Select(p => $"  {(string?)p!["name"],-10}{(int)p["price"]!,5}"))}

        your cart ({(string?)cart["pod"]}): {(cart["items"]!.AsArray() is { Count: > 0 } items ? string.Join(", ", items.Select(i => (string?)i)) : "empty")}

        """);
}));
app.MapGet("/shop.json", (HttpRequest request, Services services, CancellationToken cancellationToken) => Answer(async () =>
{
    var (catalogue, cart) = await ShopAsync(services, request, cancellationToken);
    return Results.Text(new JsonObject { ["front"] = Environment.MachineName, ["catalogue"] = catalogue, ["cart"] = cart }.ToJsonString() + "\n", "application/json");
}));
app.MapPost("/cart/{item}", (string item, HttpRequest request, Services services, CancellationToken cancellationToken) => Answer(async () =>
    Results.Text((await services.AskAsync(HttpMethod.Post, "cart", $"/carts/me/{Uri.EscapeDataString(item)}", request.Headers, cancellationToken)).ToJsonString() + "\n")));

// The front door has checked who it is: a client that writes this header itself loses it there.
app.MapGet("/account", (HttpRequest request) => $"the account of {(request.Headers["x-user"] is [{ Length: > 0 } user] ? user : "nobody")}\n");
Console.WriteLine($"front is up, {Environment.MachineName}");
app.Run();
return 0;

static async Task<(JsonNode Catalogue, JsonNode Cart)> ShopAsync(Services services, HttpRequest request, CancellationToken cancellationToken) =>
    (await services.AskAsync(HttpMethod.Get, "catalogue", "/products", request.Headers, cancellationToken),
     await services.AskAsync(HttpMethod.Get, "cart", "/carts/me", request.Headers, cancellationToken));

static async Task<IResult> Answer(Func<Task<IResult>> answer)
{
    try
    {
        return await answer();
    }
    catch (HttpRequestException failed)
    {
        return Results.Text(failed.Message + "\n", statusCode: StatusCodes.Status502BadGateway);
    }
}
