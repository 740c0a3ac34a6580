using System.Buffers.Text;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Primitives;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Streaming;

/// <summary>
/// A request to leave HTTP for another protocol. Everything is checked before the switch; a request that fails a check gets an ordinary answer
/// and its connection stays HTTP, read by the pipeline with its authorisation: no failed upgrade leaves a tunnel (the class of CVE-2018-1002105).
/// After the switch the bytes belong to this process's own codec, never to a connection that is passed on.
/// </summary>
internal sealed class UpgradeRequest
{
    private const string Spdy = "SPDY/3.1";
    private const string WebSocketName = "websocket";
    private const string VersionHeader = "X-Stream-Protocol-Version";

    // RFC 6455 section 1.3.
    private const string WebSocketMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    // A WebSocket that is silent is pinged, so that a client whose machine vanished is noticed by TCP.
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(30);

    private readonly HttpContext _context;
    private readonly IHttpUpgradeFeature _upgrade;

    private UpgradeRequest(HttpContext context, IHttpUpgradeFeature upgrade, bool isSpdy) => (_context, _upgrade, IsSpdy) = (context, upgrade, isSpdy);

    public bool IsSpdy { get; }

    /// <summary>The subprotocols that the client offers, in its order of liking.</summary>
    public IReadOnlyList<string> Offered => List(_context.Request.Headers[IsSpdy ? VersionHeader : "Sec-WebSocket-Protocol"]);

    public static UpgradeRequest Read(HttpContext context)
    {
        var wanted = List(context.Request.Headers.Upgrade);
        var spdy = wanted.Contains(Spdy, StringComparer.OrdinalIgnoreCase);
        var webSocket = wanted.Contains(WebSocketName, StringComparer.OrdinalIgnoreCase);
        if (!spdy && !webSocket)
            throw Statuses.BadRequest($"Upgrade request required: this needs 'Connection: Upgrade' with 'Upgrade: {WebSocketName}' or 'Upgrade: {Spdy}'");
        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade)
            throw Statuses.BadRequest("Upgrade request required: this needs HTTP/1.1, 'Connection: Upgrade' and no body");
        if (!spdy && !HttpMethods.IsGet(context.Request.Method))
            throw Statuses.BadRequest("a WebSocket is opened by GET (RFC 6455 section 4.1)");
        return new UpgradeRequest(context, upgrade, spdy);
    }

    /// <summary>The client's favourite among those the server speaks; null when it offers others only. <paramref name="silent"/> is for a client that offers none.</summary>
    public string? Choose(IReadOnlyList<string> spoken, string? silent) => Offered.Count == 0 ? silent : Offered.FirstOrDefault(spoken.Contains);

    public async Task<Stream> SwitchToSpdyAsync(string protocol)
    {
        _context.Response.Headers.Upgrade = Spdy;
        _context.Response.Headers[VersionHeader] = protocol;
        return await SwitchAsync();
    }

    /// <param name="protocol">Empty when the client named none.</param>
    public async Task<WebSocket> SwitchToWebSocketAsync(string protocol)
    {
        var headers = _context.Request.Headers;
        var key = headers.SecWebSocketKey.ToString();
        if (headers.SecWebSocketVersion != "13" || !IsKey(key))
            throw Statuses.BadRequest("a WebSocket needs Sec-WebSocket-Version 13 and a Sec-WebSocket-Key of 16 bytes in base64 (RFC 6455 section 4.1)");
        _context.Response.Headers.Upgrade = WebSocketName;
        _context.Response.Headers.SecWebSocketAccept = Accept(key);
        if (protocol.Length > 0)
            _context.Response.Headers.SecWebSocketProtocol = protocol;
        // Not told its SubProtocol: .NET refuses the slash in kubectl's `SPDY/3.1+portforward.k8s.io`, and does nothing with the name.
        return WebSocket.CreateFromStream(await SwitchAsync(), new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = KeepAlive });
    }

    /// <summary>No common protocol: 403 with the spoken ones, as kubelet answers, from which a client can tell what to do.</summary>
    public ApiException NoCommonProtocol(IReadOnlyList<string> spoken)
    {
        _context.Response.Headers["X-Accepted-Stream-Protocol-Versions"] = new StringValues([.. spoken]);
        var text = $"unable to upgrade: unable to negotiate protocol: client supports [{string.Join(' ', Offered)}], server accepts [{string.Join(' ', spoken)}]";
        return IsSpdy
            ? new ApiException(new Api.Status { Result = "Failure", Message = text, Reason = "Forbidden", Code = 403 })
            : Statuses.BadRequest(text);
    }

    internal static string Accept(string key)
    {
#pragma warning disable CA5350 // RFC 6455 names SHA-1; it proves that the server read the request, and protects nothing.
        return Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + WebSocketMagic)));
#pragma warning restore CA5350
    }

    private async Task<Stream> SwitchAsync()
    {
        // A terminal that is stopped reads nothing for hours: back-pressure, not a slow-loris.
        if (_context.Features.Get<IHttpMinResponseDataRateFeature>() is { } response)
            response.MinDataRate = null;
        if (_context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } request)
            request.MinDataRate = null;
        return await _upgrade.UpgradeAsync();
    }

    private static bool IsKey(string key)
    {
        Span<byte> bytes = stackalloc byte[18];
        return key.Length == 24 && Base64.DecodeFromUtf8(Encoding.ASCII.GetBytes(key), bytes, out _, out var length) == System.Buffers.OperationStatus.Done && length == 16;
    }

    private static string[] List(StringValues values) =>
        [.. values.SelectMany(value => (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
}
