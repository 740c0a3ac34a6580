using System.Net;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Http;

namespace Weft.Proxy.Routing;

/// <summary>What routes and policies decide by. Belongs to an exchange; what looks at host or path takes <see cref="Host"/> and <see cref="Path"/>; the head has what goes to the endpoint.</summary>
internal sealed class RequestFacts
{
    public RequestHead Head { get; set; } = new();

    public RequestPath Path { get; } = new();

    public RequestHost Host { get; } = new();

    public ConnectionFacts Connection { get; set; } = null!;

    /// <summary>The client as trusted proxies name it; otherwise the source of the connection.</summary>
    public IPAddress ClientAddress { get; set; } = IPAddress.None;

    /// <summary>What a token says that was verified here; null: there was none, or it is not looked at yet.</summary>
    public RequestIdentity? Token { get; set; }

    /// <summary>Brings path and host into form, in the head as well: the endpoint sees what was decided by. Null: done; else why the request is refused (400), in a word.</summary>
    public string? Normalize(PathSettings settings)
    {
        if (!Host.TrySet(Head.Authority))
            return "host_invalid";
        Head.Authority = Host.Authority;
        if (Head.Method.SequenceEqual("CONNECT"u8))
        {
            Path.Clear();
            return null;
        }

        var error = PathNormalizer.Normalize(Head.Target, settings, Path);
        if (error != PathError.None)
            return PathErrors.Detail(error);
        Head.Target = Path.Target;
        return null;
    }
}
