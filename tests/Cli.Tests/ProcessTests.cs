using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Weft.Cli.Processes;

namespace Weft.Cli.Tests;

public sealed class ProcessTests
{
    [Fact]
    public void This_process_is_alive() => Assert.True(ProcessIdentity.Current.IsAlive);

    [Fact]
    public void The_same_id_with_another_start_is_another_process()
    {
        var me = ProcessIdentity.Current;
        Assert.False((me with { StartTicks = me.StartTicks + 1 }).IsAlive);
    }

    [Fact]
    public async Task A_process_that_ignores_the_request_to_end_is_ended()
    {
        using var stubborn = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]) { RedirectStandardOutput = true })!;
        Assert.Equal("ready", await stubborn.StandardOutput.ReadLineAsync());
        var identity = ProcessIdentity.Of(stubborn.Id)!;

        Assert.True(await identity.StopAsync(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None));
        Assert.False(identity.IsAlive);
    }

    [Fact]
    public void The_holder_of_a_port_is_named()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var holder = PortHolder.Find(((IPEndPoint)listener.LocalEndpoint).Port);
        Assert.NotNull(holder);
        Assert.Contains($"(pid {Environment.ProcessId})", holder, StringComparison.Ordinal);
    }

    [Fact]
    public void A_free_port_has_no_holder()
    {
        // Bound, so that no other program takes it meanwhile, and nobody listens.
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Null(PortHolder.Find(((IPEndPoint)bound.LocalEndPoint!).Port));
    }
}
