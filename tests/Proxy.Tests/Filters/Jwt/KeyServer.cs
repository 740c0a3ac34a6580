using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Weft.Jose;
using Weft.Proxy.Tests.Forwarding;
using Token = Weft.Jose.Jwt;

namespace Weft.Proxy.Tests.Filters.Jwt;

/// <summary>An issuer with a real server for its keys.</summary>
internal sealed class KeyServer : IAsyncDisposable
{
    public const string Issuer = "https://issuer.example";
    private readonly WebApplication _server;
    private string _answer = "";
    private int _fetches;

    private KeyServer(WebApplication server) => _server = server;

    public string Uri => $"{_server.Urls.Single()}/keys";

    public int Fetches => Volatile.Read(ref _fetches);

    /// <summary>What the last request called the server; null: none came.</summary>
    public string? Host { get; private set; }

    /// <summary>What an answer waits for.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>In place of the keys.</summary>
    public Func<HttpResponse, Task>? Spoil { get; set; }

    public static Task<KeyServer> StartAsync(params SigningKey[] keys) => StartAsync(IPAddress.Loopback, keys);

    public static async Task<KeyServer> StartAsync(IPAddress address, params SigningKey[] keys)
    {
        KeyServer? own = null;
        own = new KeyServer(await ProxyFixture.ServerAsync(context => own!.AnswerAsync(context), address: address));
        own.Publish(keys);
        return own;
    }

    public void Publish(params SigningKey[] keys) => _answer = new KeySet(keys.Select(k => k.PublicKey)).ToJson().ToJsonString();

    public static string Sign(SigningKey key, Action<JsonObject>? change = null)
    {
        var claims = new JsonObject
        {
            ["iss"] = Issuer, ["aud"] = "shop", ["sub"] = "u1", ["exp"] = TimeProvider.System.GetUtcNow().AddMinutes(10).ToUnixTimeSeconds(), ["scope"] = "read write",
            ["realm"] = new JsonObject { ["roles"] = new JsonArray("admin", "dev") },
        };
        change?.Invoke(claims);
        return Token.Sign(claims, key);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _fetches);
        Host = context.Request.Host.Value;
        await Gate;
        if (context.Request.Path == "/elsewhere" || Spoil is not { } spoil)
            await context.Response.WriteAsync(_answer);
        else
            await spoil(context.Response);
    }
}

/// <summary>The system's time, and a date that a test moves.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    public TimeSpan Shift { get; set; }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Shift;
}
