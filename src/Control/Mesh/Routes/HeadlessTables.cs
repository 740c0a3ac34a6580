using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Routes;

/// <summary>
/// Routes of a headless service, whose name stands for the addresses of its pods. A request that names the service has its rules; one that names something else, as a pod by its own name or by its address does, goes to
/// the pod that was dialled: members of a StatefulSet must reach exactly whom they mean.
/// </summary>
internal static class HeadlessTables
{
    /// <param name="views">Everybody last.</param>
    /// <param name="routes">Of requests that name the service.</param>
    public static RouteTableConfig Of(MeshHost host, HostPort port, MeshLookups lookups, IReadOnlyList<ClientView> views, ValueList<RouteConfig> routes)
    {
        var direct = views.Select(view => (View: view, Routes: Direct(host, port, view, lookups))).ToList();
        var everybody = direct[^1].Routes;
        return new()
        {
            Name = $"{host.Name}:{port.Number}",
            Hosts =
            [
                new() { Name = host.Name, Domains = Names(host, lookups).ToValueList(), Routes = routes },
                new() { Name = host.Name + "/dialled", Domains = ["*"], Routes = ClientView.Needed(direct, (view, own) => RouteJobs.IsSame(view, own, everybody)).SelectMany(own => own).ToValueList() },
            ],
        };
    }

    private static List<RouteConfig> Direct(MeshHost host, HostPort port, ClientView view, MeshLookups lookups)
    {
        var assembler = new RouteAssembler(new TargetResolver(lookups, [], view.Namespace, port.Number, host), view, RouteJobs.Mesh, port.Number);
        // A name of its own in the table.
        return [(RouteJobs.Unruled(host, port, view, lookups, assembler) ?? assembler.Default(host)) with { Name = "dialled" + view.Suffix }];
    }

    // As the search list of a pod has them: `web`, `web.shop`, `web.shop.svc`, and the whole one.
    private static IEnumerable<string> Names(MeshHost host, MeshLookups lookups)
    {
        var below = host.Name[..^(lookups.Settings.ClusterDomain.Length + 1)];
        var labels = below.Split('.');
        return [labels[0], $"{labels[0]}.{labels[1]}", below, host.Name];
    }
}
