using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Filters.Authorization;

/// <summary>A compiled <see cref="AuthorizationOperation"/>.</summary>
internal sealed class OperationRule(AuthorizationOperation operation)
{
    private readonly PolicyTexts? _hosts = PolicyTexts.Of(operation.Hosts.Select(h => h.ToLowerInvariant()).ToValueList());
    private readonly PolicyTexts? _notHosts = PolicyTexts.Of(operation.NotHosts.Select(h => h.ToLowerInvariant()).ToValueList());
    private readonly int[] _ports = [.. operation.Ports];
    private readonly int[] _notPorts = [.. operation.NotPorts];
    private readonly PolicyTexts? _methods = PolicyTexts.Of(operation.Methods);
    private readonly PolicyTexts? _notMethods = PolicyTexts.Of(operation.NotMethods);
    private readonly PolicyPaths? _paths = PolicyPaths.Of(operation.Paths);
    private readonly PolicyPaths? _notPaths = PolicyPaths.Of(operation.NotPaths);

    private bool AsksRequest => _hosts is not null || _notHosts is not null || _methods is not null || _notMethods is not null || _paths is not null || _notPaths is not null;

    public bool Holds(in PolicyInput input)
    {
        var port = input.Connection.Destination.Port;
        if ((_ports.Length > 0 && Array.IndexOf(_ports, port) < 0) || Array.IndexOf(_notPorts, port) >= 0)
            return false;
        if (!AsksRequest)
            return true;
        if (input.Request is not { } request)
            return input.Unknown;
        return (_hosts is null || IsHost(_hosts, request))
            && (_notHosts is null || !IsHost(_notHosts, request))
            && (_methods is null || _methods.Match(request.Head.Method))
            && (_notMethods is null || !_notMethods.Match(request.Head.Method))
            // A rule that refuses takes each spelling of what it names for it, and one that allows only the very path; with what is excepted it is the other way round.
            && (_paths is null || _paths.Match(request.Path, anySpelling: input.Unknown))
            && (_notPaths is null || !_notPaths.Match(request.Path, anySpelling: !input.Unknown));
    }

    // A host of a policy may be written with its port or without; `a` must not be got round by `a:80`.
    private static bool IsHost(PolicyTexts hosts, RequestFacts request) => hosts.Match(request.Host.Name) || hosts.Match(request.Host.Authority);
}
