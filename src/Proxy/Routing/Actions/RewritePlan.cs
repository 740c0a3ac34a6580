using System.Text;
using System.Text.RegularExpressions;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Routing.Actions;

/// <summary>A compiled <see cref="Rewrite"/>: writes what the endpoint is to see into the head.</summary>
internal sealed class RewritePlan(Rewrite rewrite)
{
    private readonly PathRewrite? _path = PathRewrite.Of(rewrite.Prefix, rewrite.Path, rewrite.Regex);
    private readonly byte[]? _host = rewrite.Host is { } host ? Encoding.ASCII.GetBytes(host) : null;

    /// <summary>The host name of the endpoint goes into the authority, once it is chosen.</summary>
    public bool EndpointHost => rewrite.EndpointHost;

    /// <summary>
    /// Always called before a request is sent: without a rewrite, too, the endpoint sees the normalised path and host and not what the client wrote.
    /// False: the rewritten path is none, and the request is refused.
    /// </summary>
    public bool Apply(RequestFacts facts, int prefixLength)
    {
        facts.Head.Authority = _host ?? facts.Host.Authority;
        // CONNECT has no path, and that of `OPTIONS *` is not one of these.
        if (facts.Path.Path.IsEmpty || facts.Path.Path[0] != '/')
            return true;
        if (_path is null)
        {
            facts.Head.Target = facts.Path.Target;
            return true;
        }

        if (!_path.TryApply(facts.Path.Path, prefixLength, out var rewritten))
            return false;
        var query = facts.Path.HasQuery ? facts.Path.Target[facts.Path.Path.Length..] : default;
        facts.Head.Target = (byte[])[.. rewritten, .. query];
        return true;
    }
}
