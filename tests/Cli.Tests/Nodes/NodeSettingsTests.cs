using Weft.Api.Joining;
using Weft.Cli.Clusters;
using Weft.Cli.Nodes;
using Weft.Testing;

namespace Weft.Cli.Tests.Nodes;

public sealed class NodeSettingsTests
{
    [Fact]
    public void A_new_cluster_gives_its_first_node_the_first_part_and_an_old_one_keeps_the_whole()
    {
        var settings = new ClusterSettings(6443, "10.242.0.0/16", "10.96.0.0/16");
        Assert.Equal(("10.242.0.0/24", "10.242.255.0/24"), (settings.NodeCidr(), settings.LinkCidr()));
        using var directory = new TempDir();
        File.WriteAllText(directory.File("cluster.json"), """{"apiPort": 6443, "podCidr": "10.242.0.0/16", "serviceCidr": "10.96.0.0/16", "format": 1}""");
        var old = ClusterSettings.Load(directory.File("cluster.json"))!;
        Assert.Equal(("10.242.0.0/16", null), (old.NodeCidr(), old.LinkCidr()));
        old.Save(directory.File("cluster.json"));
        Assert.Equal(1, ClusterSettings.Load(directory.File("cluster.json"))!.Format);
    }

    [Fact]
    public void Names_of_a_long_cluster_fit_the_kernel_and_nodes_meet_no_other_cluster()
    {
        var paths = ClusterPaths.For(new string('a', 20), null);
        Assert.True(LocalNetwork.HostLink(paths).Length <= 15);
        Assert.NotEqual(LocalNetwork.HostLink(paths), LocalNetwork.HostLink(ClusterPaths.For("b", null)));
        // The longest socket below a run directory leaves room: a path in a socket's address has 107 bytes.
        Assert.True(paths.LocalNode(50).RunDir.Length <= 40);
        Assert.NotNull(ClusterPaths.WhyBadName(paths.LocalNode(2).Name));
    }

    [Fact]
    public void A_token_is_read_as_it_was_written_and_nothing_else_is_one()
    {
        var token = JoinToken.Create([1, 2, 3]);
        Assert.Equal(token, JoinToken.Parse(token.Text + "\n"));
        Assert.Equal((token.Id, token.Secret), JoinToken.ParseCredential(token.Credential));
        Assert.Null(JoinToken.Parse(token.Credential));
        Assert.Null(JoinToken.Parse(token.Text[..^1]));
        Assert.Null(JoinToken.ParseCredential("x"));
    }
}
