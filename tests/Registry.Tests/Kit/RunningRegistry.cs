using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Registry.Access;
using Weft.Registry.Http;
using Weft.Registry.Manifests;
using Weft.Registry.Names;
using Weft.Testing;

namespace Weft.Registry.Tests.Kit;

/// <summary>A registry on a loopback port, in a directory of its own, and a client that may push.</summary>
internal sealed class RunningRegistry : IAsyncDisposable
{
    private readonly TempDir _directory;
    private readonly RegistryServer _server;

    private RunningRegistry(TempDir directory, ImageRegistry registry, RegistryServer server, string password)
    {
        (_directory, Registry, _server, Password) = (directory, registry, server, password);
        Anonymous = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Port}") };
        Client = new HttpClient { BaseAddress = Anonymous.BaseAddress };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"weft:{password}")));
    }

    internal ImageRegistry Registry { get; }
    internal string Password { get; }
    internal int Port => _server.Port;

    internal HttpClient Anonymous { get; }
    internal HttpClient Client { get; }

    internal static async Task<RunningRegistry> StartAsync(Func<RegistryOptions, RegistryOptions>? change = null, TimeProvider? time = null)
    {
        var directory = new TempDir();
        var options = new RegistryOptions(directory.File("registry")) { DiskReserveBytes = 0, OwnHosts = ["127.0.0.1:5000"] };
        var password = directory.File("password");
        var registry = new ImageRegistry(change?.Invoke(options) ?? options, time ?? TimeProvider.System, NullLogger.Instance);
        var endpoint = new RegistryEndpoint(registry, new RegistryAccess(PushPassword.LoadOrCreate(password), time ?? TimeProvider.System), NullLogger.Instance);
        var server = await RegistryServer.TryStartAsync(endpoint, new IPEndPoint(IPAddress.Loopback, 0), TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        return new RunningRegistry(directory, registry, server!, PushPassword.Read(password));
    }

    internal string File(string name) => _directory.File(name);

    internal async Task<Digest> PushBlobAsync(byte[] content, string name = "a/b")
    {
        var digest = Digest.Of(content);
        using var answer = await Client.PostAsync($"/v2/{name}/blobs/uploads/?digest={digest}", new ByteArrayContent(content));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return digest;
    }

    internal async Task<HttpResponseMessage> PutManifestAsync(string name, string reference, JsonObject manifest, string? type = null)
    {
        var body = new ByteArrayContent(Encoding.UTF8.GetBytes(manifest.ToJsonString()));
        body.Headers.ContentType = new MediaTypeHeaderValue(type ?? (string?)manifest["mediaType"] ?? MediaTypes.OciManifest);
        return await Client.PutAsync($"/v2/{name}/manifests/{reference}", body);
    }

    /// <summary>An image of one layer with that text in it.</summary>
    internal async Task<Digest> PushImageAsync(string name, string reference, string text)
    {
        var manifest = Image(await PushBlobAsync(Encoding.UTF8.GetBytes($$"""{"of":"{{text}}"}""")), await PushBlobAsync(Encoding.UTF8.GetBytes(text)));
        using var answer = await PutManifestAsync(name, reference, manifest);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return Digest.Of(Encoding.UTF8.GetBytes(manifest.ToJsonString()));
    }

    internal static JsonObject Image(Digest config, params Digest[] layers) => new()
    {
        ["schemaVersion"] = 2,
        ["mediaType"] = MediaTypes.OciManifest,
        ["config"] = Descriptor(MediaTypes.OciConfig, config),
        ["layers"] = new JsonArray([.. layers.Select(layer => Descriptor(MediaTypes.OciLayer, layer))]),
    };

    internal static JsonObject Descriptor(string type, Digest digest) => new() { ["mediaType"] = type, ["digest"] = digest.ToString(), ["size"] = 1 };

    internal static async Task<string> ErrorCodeAsync(HttpResponseMessage answer) =>
        (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["errors"]![0]!["code"] ?? "";

    public async ValueTask DisposeAsync()
    {
        Anonymous.Dispose();
        Client.Dispose();
        await _server.DisposeAsync();
        await Registry.DisposeAsync();
        _directory.Dispose();
    }
}
