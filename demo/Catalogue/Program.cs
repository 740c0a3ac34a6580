// The catalogue of the shop. VERSION decides what it sells: v2 has one product more, and a sale.
using System.Text.Json.Serialization;

var version = Environment.GetEnvironmentVariable("VERSION") ?? "v1";
Product[] products = version == "v1"
    ? [new("loom", 420), new("shuttle", 18), new("yarn", 7)]
    : [new("loom", 399), new("shuttle", 18), new("yarn", 6), new("bobbin", 2)];

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://0.0.0.0:8080");
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, ShopJson.Default));
var app = builder.Build();
app.MapGet("/healthz", () => "ok");
app.MapGet("/products", () => new Catalogue(version, Environment.MachineName, products));
app.Run();

internal sealed record Product(string Name, int Price);

internal sealed record Catalogue(string Version, string Pod, Product[] Products);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Catalogue))]
internal sealed partial class ShopJson : JsonSerializerContext;
