// The catalogue of the shop. VERSION decides what it sells: v2 has one product more, and a sale. FAILS_EVERY=3 makes every third answer a failure.
using System.Globalization;
using System.Text.Json.Serialization;

var version = Environment.GetEnvironmentVariable("VERSION") ?? "v1";
var failsEvery = int.TryParse(Environment.GetEnvironmentVariable("FAILS_EVERY"), NumberStyles.None, CultureInfo.InvariantCulture, out var every) ? every : 0;
Product[] products = version == "v1"
    ? [new("loom", 420), new("shuttle", 18), new("yarn", 7)]
    : [new("loom", 399), new("shuttle", 18), new("yarn", 6), new("bobbin", 2)];
var answered = 0;
var isBroken = false;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://0.0.0.0:8080");
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, ShopJson.Default));
var app = builder.Build();
app.MapGet("/healthz", () => "ok");
app.MapGet("/products", () =>
    Volatile.Read(ref isBroken) || (failsEvery > 0 && Interlocked.Increment(ref answered) % failsEvery == 0)
        ? Results.Text("the catalogue is broken\n", statusCode: StatusCodes.Status500InternalServerError)
        : Results.Ok(new Catalogue(version, Environment.MachineName, products)));

// For the pod's own tools: a service that is up, and wrong.
app.MapPost("/break", () => Break(true));
app.MapPost("/mend", () => Break(false));
app.Run();

string Break(bool value)
{
    Volatile.Write(ref isBroken, value);
    return value ? "broken\n" : "mended\n";
}

internal sealed record Product(string Name, int Price);

internal sealed record Catalogue(string Version, string Pod, Product[] Products);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Catalogue))]
internal sealed partial class ShopJson : JsonSerializerContext;
