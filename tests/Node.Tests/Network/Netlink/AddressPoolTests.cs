using Weft.Node.Network.Netlink;

namespace Weft.Node.Tests.Network.Netlink;

public sealed class AddressPoolTests
{
    [Fact]
    public async Task Goes_on_where_host_local_stopped_and_the_other_way_round()
    {
        await using var world = await World.CreateAsync("10.99.4.0/29");   // .2 to .6
        var pool = new AddressPool(world.Options);

        Assert.Contains("10.99.4.2/29", await world.Cni.ReserveAsync("a"), StringComparison.Ordinal);
        Assert.Equal("10.99.4.3", pool.Reserve("b").ToString());
        Assert.Contains("10.99.4.4/29", await world.Cni.ReserveAsync("c"), StringComparison.Ordinal);
        pool.Release("a");
        await world.Cni.ReleaseAsync("b");
        Assert.Equal("10.99.4.5", pool.Reserve("d").ToString());
        Assert.Equal("10.99.4.6", pool.Reserve("e").ToString());
        Assert.Contains("10.99.4.2/29", await world.Cni.ReserveAsync("f"), StringComparison.Ordinal);
        Assert.Equal(["10.99.4.2", "10.99.4.4", "10.99.4.5", "10.99.4.6"], world.GivenOut());
        Assert.Equal("f\r\neth0", await System.IO.File.ReadAllTextAsync(File(world, "10.99.4.2")));
        Assert.Equal("e\r\neth0", await System.IO.File.ReadAllTextAsync(File(world, "10.99.4.6")));
    }

    [Fact]
    public async Task Says_when_every_address_is_given_out()
    {
        await using var world = await World.CreateAsync("10.99.4.0/29");
        var pool = new AddressPool(world.Options);
        foreach (var id in Enumerable.Range(0, 5))
            pool.Reserve($"pod-{id}");

        var error = Assert.Throws<IOException>(() => pool.Reserve("one-more"));
        Assert.Equal("no address of 10.99.4.0/29 is free for another pod: 5 are given out", error.Message);
        pool.Release("pod-3");
        Assert.Equal("10.99.4.5", pool.Reserve("one-more").ToString());
    }

    [Fact]
    public async Task No_address_is_given_twice_while_host_local_runs_at_the_same_time()
    {
        await using var world = await World.CreateAsync();
        var pool = new AddressPool(world.Options);

        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => i % 2 == 0
            ? Task.Run(async () =>
            {
                await world.Cni.ReserveAsync($"cni-{i}");
                if (i % 4 == 0)
                    await world.Cni.ReleaseAsync($"cni-{i}");
            })
            : Task.Run(() =>
            {
                pool.Reserve($"own-{i}");
                if (i % 4 == 1)
                    pool.Release($"own-{i}");
            })));

        var holders = world.GivenOut().Select(address => System.IO.File.ReadAllText(File(world, address))).Order();
        Assert.Equal(Enumerable.Range(0, 40).Where(i => i % 4 is 2 or 3).Select(i => $"{(i % 2 == 0 ? "cni" : "own")}-{i}\r\neth0").Order(), holders);
    }

    [Theory]
    [InlineData("")]
    [InlineData("rubbish")]
    [InlineData("10.1.1.1")]
    public async Task A_torn_note_of_the_last_address_starts_from_the_first(string note)
    {
        await using var world = await World.CreateAsync();
        Directory.CreateDirectory(Path.Combine(world.Options.IpamDirectory, world.Options.Name));
        await System.IO.File.WriteAllTextAsync(File(world, "last_reserved_ip.0"), note);

        Assert.Equal("10.99.3.2", new AddressPool(world.Options).Reserve("a").ToString());
    }

    private static string File(World world, string name) => Path.Combine(world.Options.IpamDirectory, world.Options.Name, name);
}
