// The carts of the shop, in memory: a cart is gone with its pod.
using System.Collections.Concurrent;
using System.Text.Json.Serialization;

const int MostItems = 100;
var carts = new ConcurrentDictionary<string, List<string>>();

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://0.0.0.0:8080");
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, CartJson.Default));
var app = builder.Build();
app.MapGet("/healthz", () => "ok");
app.MapGet("/carts/{user}", (string user) => new Cart(user, Environment.MachineName, Items(user)));
app.MapPost("/carts/{user}/{item}", (string user, string item) =>
{
    var items = carts.GetOrAdd(user, _ => []);
    lock (items)
    {
        if (items.Count >= MostItems)
            return Results.Text($"a cart holds {MostItems} items at most", statusCode: StatusCodes.Status409Conflict);
        items.Add(item);
    }

    return Results.Ok(new Cart(user, Environment.MachineName, Items(user)));
});
app.Run();

string[] Items(string user)
{
    if (!carts.TryGetValue(user, out var items))
        return [];
    lock (items)
        return [.. items];
}

internal sealed record Cart(string User, string Pod, string[] Items);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Cart))]
internal sealed partial class CartJson : JsonSerializerContext;
