using System.Globalization;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Identity;
using Weft.Proxy.Config.Identity;

namespace Weft.Control.Tests.Identity;

public sealed class PodAccountsTests
{
    private readonly ObjectCache<Pod> _pods = new();
    private int _revision;

    [Fact]
    public void An_account_is_at_work_where_a_pod_of_it_is_bound_and_has_not_ended()
    {
        var places = new PodAccounts(_pods, new("istio-system", "door"));
        Put(Pod("a", "n1", "web"), Pod("b", "n2", "other"), Pod("c", null, "web"), Pod("d", "n3", "web", "Succeeded"), Pod("e", "n4", ""));
        Assert.True(places.Runs("n1", new("default", "web")));
        Assert.False(places.Runs("n2", new("default", "web")));
        Assert.False(places.Runs("n3", new("default", "web")));
        Assert.False(places.Runs("", new("default", "web")));
        Assert.False(places.Runs("n1", new("other", "web")));
        Assert.True(places.Runs("n4", new("default", "default")));
        Assert.True(places.Runs("n1", new("istio-system", "door")));

        _pods.Removed(new("default", "a"), "uid-a");
        Assert.False(places.Runs("n1", new("default", "web")));
    }

    private void Put(params Pod[] pods)
    {
        foreach (var pod in pods)
            _pods.Wrote(pod with { Metadata = pod.Metadata with { ResourceVersion = (++_revision).ToString(CultureInfo.InvariantCulture) } });
    }

    private static Pod Pod(string name, string? node, string account, string phase = "Running")
    {
        var pod = Make.Pod(name, node, phase);
        return pod with { Spec = pod.Spec with { ServiceAccountName = account } };
    }
}
