using Weft.Node.Usage;
using Weft.Testing;

namespace Weft.Node.Tests.Usage;

public sealed class CgroupFiguresTests
{
    private const string Cgroup = "/weft-test/pod1/c1";

    [Fact]
    public void Version_1_has_a_tree_for_each_controller()
    {
        using var tree = new TempDir();
        Write(tree, "cpuacct" + Cgroup, "cpuacct.usage", "2500000000\n");
        Write(tree, "memory" + Cgroup, "memory.usage_in_bytes", "5000\n");
        Write(tree, "memory" + Cgroup, "memory.stat", "inactive_file 1\ntotal_inactive_file 1200\n");
        Write(tree, "pids" + Cgroup, "pids.current", "7\n");
        var figures = new CgroupFigures(tree.Path);
        Assert.Equal((TimeSpan.FromSeconds(2.5), 3800, 7), (figures.Cpu(Cgroup), figures.WorkingSet(Cgroup), figures.Processes(Cgroup)));
    }

    [Fact]
    public void Version_2_has_one_tree()
    {
        using var tree = new TempDir();
        Write(tree, Cgroup[1..], "cpu.stat", "usage_usec 2500000\nuser_usec 1\n");
        Write(tree, Cgroup[1..], "memory.current", "5000\n");
        Write(tree, Cgroup[1..], "memory.stat", "anon 9\ninactive_file 6000\n");
        Write(tree, Cgroup[1..], "pids.current", "7\n");
        var figures = new CgroupFigures(tree.Path);
        Assert.Equal((TimeSpan.FromSeconds(2.5), 0, 7), (figures.Cpu(Cgroup), figures.WorkingSet(Cgroup), figures.Processes(Cgroup)));
    }

    [Fact]
    public void A_cgroup_that_is_gone_has_no_figures()
    {
        using var tree = new TempDir();
        Write(tree, Cgroup[1..], "cpu.stat", "usage_usec many\n");
        var figures = new CgroupFigures(tree.Path);
        Assert.Equal((null, null, null), (figures.Cpu(Cgroup), figures.WorkingSet(Cgroup), figures.Processes(Cgroup)));
    }

    private static void Write(TempDir tree, string directory, string file, string text)
    {
        Directory.CreateDirectory(Path.Combine(tree.Path, directory));
        File.WriteAllText(Path.Combine(tree.Path, directory, file), text);
    }
}
