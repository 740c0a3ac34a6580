using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Control.Discovery.Http;
using Weft.Control.Discovery.Registry;
using Weft.Discovery.Process;
using Weft.Storage;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.Control.Tests.Discovery;

/// <summary>The registry over a store in memory, and a client of it.</summary>
internal sealed class RegistryHost : IAsyncDisposable
{
    private RegistryHost(LocalStore store, RegistryProcess process) => (Store, Process, Http) = (store, process, new() { BaseAddress = new(process.Address, "v1/"), Timeout = Timeout.InfiniteTimeSpan });

    public LocalStore Store { get; }

    public RegistryProcess Process { get; }

    public HttpClient Http { get; }

    public ServiceRegistry Registry => Process.Registry;

    public static async Task<RegistryHost> StartAsync(TimeProvider? time = null, RegistryOptions? options = null, RegistryAccess? access = null, LocalStore? store = null)
    {
        store ??= new MemoryStore(TimeProvider.System);
        return new(store, await RegistryProcess.StartAsync(store, time ?? TimeProvider.System, Seeded.Random(1), NullLoggerFactory.Instance, options, access));
    }

    public async Task<(int Status, string Text, long Index)> AskAsync(string method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = body switch { null => null, byte[] bytes => new ByteArrayContent(bytes), JsonNode json => new StringContent(json.ToJsonString()), string text => new StringContent(text), _ => JsonContent.Create(body) },
        };
        using var response = await Http.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.TryGetValues("X-Consul-Index", out var index) ? long.Parse(index.First(), System.Globalization.CultureInfo.InvariantCulture) : 0);
    }

    public async Task PutAsync(string path, object? body = null)
    {
        var (status, text, _) = await AskAsync("PUT", path, body);
        Assert.True(status == 200, $"{path}: {status} {text}");
    }

    public async Task<JsonNode> GetAsync(string path)
    {
        var (status, text, _) = await AskAsync("GET", path);
        Assert.True(status == 200, $"{path}: {status} {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>How many pass.</summary>
    public async Task<int> PassingAsync(string name) => (await GetAsync($"health/service/{name}?passing")).AsArray().Count;

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Process.DisposeAsync();
        await Store.DisposeAsync();
    }
}
