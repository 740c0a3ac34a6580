using System.Net;
using Weft.Proxy.Http;

namespace Weft.Proxy.Routing;

/// <summary>What routes and policies decide by. Belongs to an exchange; the head's target and authority are not looked at beside <see cref="Path"/> and <see cref="Host"/>.</summary>
internal sealed class RequestFacts
{
    public RequestHead Head { get; set; } = new();

    public RequestPath Path { get; } = new();

    public RequestHost Host { get; } = new();

    public ConnectionFacts Connection { get; set; } = null!;

    /// <summary>The client as trusted proxies name it; otherwise the source of the connection.</summary>
    public IPAddress ClientAddress { get; set; } = IPAddress.None;
}
