using Weft.Node.Interop;
using Weft.Node.Network;
using Weft.Testing;

namespace Weft.Node.Tests.Network;

/// <summary>A node in a network namespace beside the machine's: what it finds there is not the machine's, and is not given back to it.</summary>
[Collection(SysctlsCollection.Name)]
public sealed class SysctlsTests : IDisposable
{
    private const string Forward = "/proc/sys/net/ipv4/ip_forward", Record = "/run/weft-sysctls.json";

    private readonly TempDir _pins = new();

    [Fact]
    public async Task Another_network_than_the_machines_is_not_written_down()
    {
        await NamespaceThread.CreateAsync(_pins.Path, "sysctls", network: true, ipc: false);
        var (value, record) = (File.ReadAllText(Forward), Written());

        var seen = await NamespaceThread.InNetworkAsync(_pins.File("net"), () =>
        {
            File.WriteAllText(Forward, "0");
            Sysctls.EnableForwarding();
            var forwards = File.ReadAllText(Forward).Trim();
            Assert.Equal(record, Written());
            Sysctls.Restore();
            return forwards;
        });

        Assert.Equal("1", seen);
        Assert.Equal((value, record), (File.ReadAllText(Forward), Written()));
    }

    private static string? Written() => File.Exists(Record) ? File.ReadAllText(Record) : null;

    public void Dispose()
    {
        foreach (var pinned in (string[])["net", "uts"])
            Mounts.Unmount(_pins.File(pinned));
        _pins.Dispose();
    }
}

/// <summary>Without the tests that start nodes on the machine beside, which write its record.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SysctlsCollection
{
    public const string Name = "the machine's record of sysctls";
}
