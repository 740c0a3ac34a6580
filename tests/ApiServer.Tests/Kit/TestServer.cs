using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api.Schemas;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Tables;
using Weft.Storage;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Kit;

/// <summary>A server on a free port of the loopback, over a store in memory, that knows the fixture kinds and lets everyone do everything.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly HttpClient _http;

    private TestServer(IStore store, ApiServerHost host)
    {
        Store = store;
        Host = host;
        _http = new HttpClient { BaseAddress = host.Address, Timeout = Eventually.Deadline };
    }

    public IStore Store { get; }
    public ApiServerHost Host { get; }
    public HttpClient Http => _http;

    /// <param name="live">A catalog that follows the store, in place of the fixed one with the fixture kinds.</param>
    public static async Task<TestServer> StartAsync(
        TimeProvider? time = null, StoreOptions? storeOptions = null, Func<ApiServerParts, ApiServerParts>? parts = null,
        Func<ApiServerOptions, ApiServerOptions>? options = null, Func<IStore, ResourceCatalog>? live = null, IStore? store = null)
    {
        time ??= TimeProvider.System;
        store ??= new MemoryStore(time, storeOptions);
        var settings = new ApiServerOptions { Store = store, Time = time, Random = Seeded.Random(7), Loggers = NullLoggerFactory.Instance };
        var catalog = live?.Invoke(store);
        var all = new ApiServerParts
        {
            Catalog = catalog as IResourceCatalog
                ?? new FixedCatalog([.. BuiltInResources.All(new SchemaReader(), kind => Columns.For(kind.Kind)), .. FixtureKinds.All]),
            Authenticator = new HeaderAuthenticator(),
            Authorizer = new AllowAll(),
            Loads = catalog is null ? [] : [catalog.LoadAsync],
            Loops = catalog is null ? [] : [catalog.RunAsync],
        };
        var host = new ApiServerHost(options?.Invoke(settings) ?? settings, parts?.Invoke(all) ?? all);
        await host.StartAsync(CancellationToken.None);
        return new TestServer(store, host);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Host.DisposeAsync();
        await Store.DisposeAsync();
    }

    public Task<Answer> GetAsync(string path, string? accept = null) => SendAsync(HttpMethod.Get, path, null, accept: accept);
    public Task<Answer> PostAsync(string path, string body, string type = "application/json") => SendAsync(HttpMethod.Post, path, body, type);
    public Task<Answer> PutAsync(string path, string body) => SendAsync(HttpMethod.Put, path, body);
    public Task<Answer> DeleteAsync(string path, string? body = null) => SendAsync(HttpMethod.Delete, path, body);
    public Task<Answer> PatchAsync(string path, string kind, string body) => SendAsync(HttpMethod.Patch, path, body, $"application/{kind}");
    public Task<Answer> ApplyAsync(string path, string manager, string body) =>
        SendAsync(HttpMethod.Patch, $"{path}{(path.Contains('?') ? '&' : '?')}fieldManager={manager}", body, "application/apply-patch+yaml");

    public async Task<Answer> SendAsync(HttpMethod method, string path, string? body, string type = "application/json", string? accept = null)
    {
        using var message = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            message.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            message.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }
        if (accept is not null)
            message.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await _http.SendAsync(message);
        var text = await response.Content.ReadAsStringAsync();
        var warnings = response.Headers.TryGetValues("Warning", out var values) ? values.ToList() : [];
        return new Answer((int)response.StatusCode, text, response.Content.Headers.ContentType?.MediaType ?? "", warnings);
    }

    public async Task<WatchReader> WatchAsync(string path, string? accept = null)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, path);
        if (accept is not null)
            message.Headers.TryAddWithoutValidation("Accept", accept);
        var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
        return new WatchReader(response, await response.Content.ReadAsStreamAsync());
    }

    private sealed class HeaderAuthenticator : IAuthenticator
    {
        public ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken) =>
            new(context.Request.Headers.TryGetValue("X-Anonymous", out _)
                ? UserInfo.Anonymous
                : context.Features.Get<InProcessCaller>()?.User ?? new UserInfo("tester", [UserInfo.AllAuthenticated]));
    }

    private sealed class AllowAll : IAuthorizer
    {
        public ValueTask<AccessDecision> AuthorizeAsync(AccessAttributes attributes, CancellationToken cancellationToken) => new(new AccessDecision(true, ""));
    }
}

internal sealed record Answer(int Code, string Text, string MediaType, IReadOnlyList<string> Warnings)
{
    public JsonObject Body => (JsonObject)JsonNode.Parse(Text)!;
    public string Message => Body["message"]?.GetValue<string>() ?? "";
    public string Reason => Body["reason"]?.GetValue<string>() ?? "";
    public string Revision => Body["metadata"]!["resourceVersion"]!.GetValue<string>();
    public JsonObject Metadata => (JsonObject)Body["metadata"]!;

    public Answer Expect(int code)
    {
        Assert.True(Code == code, $"expected {code}, was {Code}: {Text}");
        return this;
    }
}

/// <summary>Reads the frames of one watch.</summary>
internal sealed class WatchReader(HttpResponseMessage response, Stream stream) : IAsyncDisposable
{
    private readonly StreamReader _reader = new(stream);

    public int Code => (int)response.StatusCode;

    /// <summary>The next frame, or null at the end of the stream.</summary>
    public async Task<JsonObject?> NextAsync()
    {
        var line = await Eventually.EndsAsync(_reader.ReadLineAsync());
        return line is null ? null : (JsonObject)JsonNode.Parse(line)!;
    }

    /// <summary>The next frame as `TYPE name`.</summary>
    public async Task<string> NextTextAsync()
    {
        var frame = await NextAsync();
        return frame is null ? "end" : $"{frame["type"]} {frame["object"]?["metadata"]?["name"] ?? frame["object"]?["reason"]}".TrimEnd();
    }

    public ValueTask DisposeAsync()
    {
        _reader.Dispose();
        response.Dispose();
        return ValueTask.CompletedTask;
    }
}
