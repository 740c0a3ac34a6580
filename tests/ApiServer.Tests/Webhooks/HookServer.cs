using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Weft.ApiServer.Tests.Webhooks;

/// <summary>A webhook over TLS on the loopback, with an authority of its own, that answers as the test says.</summary>
internal sealed class HookServer : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly bool _closes;

    private HookServer(WebApplication web, string bundle, int port, bool closes) => (_web, Bundle, Port, _closes) = (web, bundle, port, closes);

    /// <summary>The authority's certificate as a `caBundle`.</summary>
    public string Bundle { get; }
    public int Port { get; }

    /// <summary>What was asked, in the order of arrival: the `request` of each review, and its path.</summary>
    public ConcurrentQueue<(string Path, JsonObject Request)> Asked { get; } = new();

    /// <param name="answer">The `response` without its uid, by path and request; null leaves the caller without an answer.</param>
    /// <param name="closes">Whether every answer ends its connection.</param>
    public static async Task<HookServer> StartAsync(Func<string, JsonObject, JsonObject?> answer, HookTrust trust = HookTrust.Root, string authority = "hook authority", bool closes = false)
    {
        var (certificate, shown, bundle) = HookCertificates.Make(trust, authority);
        // Not by Kestrel's own options, which take no certificate that is wrong for a server.
        var tls = new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, shown, offline: true) };
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => new(tls) })));
        var web = builder.Build();
        HookServer? server = null;
        web.Run(context => server!.HandleAsync(context, answer));
        await web.StartAsync();
        var address = new Uri(web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return server = new HookServer(web, bundle, address.Port, closes);
    }

    /// <summary>A `clientConfig` that leads here by URL.</summary>
    public string ByUrl(string path = "/") => $$"""{"url":"https://localhost:{{Port}}{{path}}","caBundle":"{{Bundle}}"}""";

    public async ValueTask DisposeAsync() => await _web.DisposeAsync();

    private async Task HandleAsync(HttpContext context, Func<string, JsonObject, JsonObject?> answer)
    {
        var review = (JsonObject)(await JsonNode.ParseAsync(context.Request.Body))!;
        var request = (JsonObject)review["request"]!;
        Asked.Enqueue((context.Request.Path, request));
        if (answer(context.Request.Path, request) is not { } response)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }
        if (_closes)
            context.Response.Headers.Connection = "close";
        if (response.ContainsKey(CutOffMark))
        {
            // Kestrel ends the connection of an answer that is shorter than it said.
            context.Response.ContentLength = 100;
            await context.Response.WriteAsync("{");
            return;
        }
        if (!response.ContainsKey("uid"))
            response["uid"] = request["uid"]!.DeepClone();
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(new JsonObject { ["apiVersion"] = review["apiVersion"]!.DeepClone(), ["kind"] = review["kind"]!.DeepClone(), ["response"] = response }.ToJsonString());
    }

    public static JsonObject Allow(string? patch = null, params string[] warnings)
    {
        var response = new JsonObject { ["allowed"] = true };
        if (patch is not null)
            (response["patchType"], response["patch"]) = ("JSONPatch", Convert.ToBase64String(Encoding.UTF8.GetBytes(patch)));
        if (warnings.Length > 0)
            response["warnings"] = new JsonArray([.. warnings.Select(text => (JsonNode?)text)]);
        return response;
    }

    private const string CutOffMark = "cutOff";

    /// <summary>An answer that breaks off in its body.</summary>
    public static JsonObject CutOff() => new() { [CutOffMark] = true };

    public static JsonObject Deny(string message, int code = 403) => new() { ["allowed"] = false, ["status"] = new JsonObject { ["message"] = message, ["code"] = code } };
}
