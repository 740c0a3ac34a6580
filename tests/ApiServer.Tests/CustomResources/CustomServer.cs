using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api.Schemas;
using Weft.ApiServer.CustomResources;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.OpenApi;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tests.Kit;
using Weft.Storage;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>A server with everything that custom kinds need: the parts that establish, serve and publish them.</summary>
internal static class CustomServer
{
    public const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    /// <param name="store">One that outlives the server, to start it again.</param>
    public static async Task<TestServer> StartAsync(IStore? store = null, Func<ApiServerParts, ApiServerParts>? parts = null, Func<ApiServerOptions, ApiServerOptions>? options = null)
    {
        // The parts follow the store that the server is given, so both must be the same one.
        store ??= new MemoryStore(TimeProvider.System);
        var schemas = new SchemaReader();
        var catalog = ResourceCatalog.Create(store, schemas, TimeProvider.System, NullLoggerFactory.Instance);
        var establisher = new CrdEstablisher(store, catalog.Current.All, TimeProvider.System, NullLogger<CrdEstablisher>.Instance);
        return await TestServer.StartAsync(store: store, options: options, parts: given =>
        {
            var all = given with
            {
                Catalog = catalog,
                Admission = [establisher],
                Paths = [new DiscoveryHandler(catalog), new OpenApiHandler(catalog, schemas, "v1.33.0")],
                Loads = [catalog.LoadAsync],
                Loops = [catalog.RunAsync, establisher.RunAsync],
            };
            return parts?.Invoke(all) ?? all;
        });
    }

    /// <summary>Creates or replaces the definition and waits until the server serves it as it now is.</summary>
    public static async Task EstablishAsync(this TestServer server, string definition)
    {
        var name = JsonNode.Parse(definition)!["metadata"]!["name"]!.GetValue<string>();
        var answer = (await server.ApplyAsync($"{Definitions}/{name}?force=true", "test", definition));
        Assert.True(answer.Code is 200 or 201, answer.Text);
        await Eventually.TrueAsync(async () => CrdConditions.IsEstablished((await server.GetAsync($"{Definitions}/{name}")).Body));
    }

    /// <summary>A definition `things.example.com` of one version v1.</summary>
    /// <param name="spec">JSON schema of `spec`.</param>
    /// <param name="version">More members of the version: `"subresources":{...}`.</param>
    public static string Things(string spec, string version = "", string names = "", string scope = "Namespaced") => """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com"},
         "spec":{"group":"example.com","scope":"SCOPE","names":{"plural":"things","kind":"Thing"NAMES},
          "versions":[{"name":"v1","served":true,"storage":true VERSION,
           "schema":{"openAPIV3Schema":{"type":"object","description":"A thing for tests.","properties":{"spec":SPEC,
             "status":{"type":"object","properties":{"replicas":{"type":"integer"},"phase":{"type":"string"}}}}}}}]}}
        """.Replace("SCOPE", scope, StringComparison.Ordinal).Replace("NAMES", names.Length == 0 ? "" : "," + names, StringComparison.Ordinal)
        .Replace("VERSION", version.Length == 0 ? "" : "," + version, StringComparison.Ordinal).Replace("SPEC", spec, StringComparison.Ordinal);

    public const string ThingPath = "/apis/example.com/v1/namespaces/default/things";

    public static string Thing(string name, string spec) => $$"""{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"{{name}}"},"spec":{{spec}}}""";
}
