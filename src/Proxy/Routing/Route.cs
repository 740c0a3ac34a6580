using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Routing.Actions;

namespace Weft.Proxy.Routing;

/// <summary>A route as it is served. One of the three actions is there.</summary>
internal sealed class Route
{
    public Route(RouteConfig config, string host, IFilter[] filters)
    {
        (Config, Host, Filters) = (config, host, filters);
        Forward = config.Action is ForwardAction forward ? new(forward) : null;
        Redirect = config.Action is RedirectAction redirect ? new(redirect) : null;
        Direct = config.Action is DirectResponse direct ? new(direct) : null;
    }

    public string Name => Config.Name;

    /// <summary>Name of the virtual host.</summary>
    public string Host { get; }

    public RouteConfig Config { get; }

    /// <summary>In order: the listener's, the host's, the route's.</summary>
    public IFilter[] Filters { get; }

    public ForwardPlan? Forward { get; }

    public RedirectPlan? Redirect { get; }

    public DirectPlan? Direct { get; }
}
