using System.Text;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Routing.Actions;

/// <summary>A compiled <see cref="Rewrite"/>: writes what the endpoint is to see into the head.</summary>
internal sealed class RewritePlan(Rewrite rewrite)
{
    private readonly PathRewrite? _path = PathRewrite.Of(rewrite.Prefix, rewrite.Path, rewrite.Regex);
    private readonly byte[]? _host = rewrite.Host is { } host ? Encoding.ASCII.GetBytes(host) : null;

    /// <summary>The host name of the endpoint goes into the authority, once it is chosen.</summary>
    public bool EndpointHost => rewrite.EndpointHost;

    /// <summary>Host and target of the head become what the endpoint sees. False: the rewritten path is none, and the request is refused (400).</summary>
    /// <param name="prefixLength">Of <see cref="RouteFound"/>.</param>
    public bool TryApply(RequestFacts facts, int prefixLength)
    {
        if (_host is not null)
            facts.Head.Authority = _host;
        // CONNECT has no path, and that of `OPTIONS *` is not one of these.
        if (_path is null || facts.Path.Path.IsEmpty || facts.Path.Path[0] != '/')
            return true;
        if (!_path.TryApply(facts.Path.Path, prefixLength, out var rewritten))
            return false;
        var query = facts.Path.Target[facts.Path.Path.Length..];
        facts.Head.Target = (byte[])[.. rewritten, .. query];
        return true;
    }
}
