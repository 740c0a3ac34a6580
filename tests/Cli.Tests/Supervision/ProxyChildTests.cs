using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Weft.Api.Istio;
using Weft.Cli.Clusters;
using Weft.Cli.Supervision;
using Weft.Testing;

namespace Weft.Cli.Tests.Supervision;

public sealed class ProxyChildTests : IDisposable
{
    // Of capabilities(7): bits 10 and 12.
    private const ulong NetBindService = 1 << 10, NetAdmin = 1 << 12;

    private readonly TempDir _dir = new();

    [Theory]
    [InlineData(false, 0ul)]
    [InlineData(true, NetBindService | NetAdmin)]
    public async Task The_proxy_has_the_rights_that_a_mesh_takes_and_no_other(bool hasMesh, ulong expected)
    {
        using var process = Process.Start(new ProcessStartInfo("setpriv", [.. ProxyChild.Privileges(hasMesh), "--", "cat", "/proc/self/status"]) { RedirectStandardOutput = true })!;
        var status = (await process.StandardOutput.ReadToEndAsync()).Split('\n').Select(line => line.Split(':', 2)).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1].Trim());
        await process.WaitForExitAsync();

        Assert.Equal(0, process.ExitCode);
        foreach (var set in (string[])["CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"])
            Assert.Equal(expected, Convert.ToUInt64(status[set], 16));
        Assert.Equal("1", status["NoNewPrivs"]);
        Assert.StartsWith($"{ProxyChild.User}", status["Uid"]);
        Assert.Equal("", status["Groups"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_proxy_below_a_folder_that_its_user_may_not_pass_runs_as_root(bool isClosed)
    {
        var executable = Environment.ProcessPath!;
        File.SetUnixFileMode(_dir.Path, File.GetUnixFileMode(_dir.Path) | UnixFileMode.OtherExecute);
        var own = Path.Combine(_dir.Path, "private");
        Directory.CreateDirectory(own);
        File.SetUnixFileMode(own, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | (isClosed ? UnixFileMode.None : UnixFileMode.OtherExecute));

        Assert.Equal(isClosed ? own : null, ProxyChild.WhyRoot(executable, Path.Combine(own, "data", "proxy")));
    }

    [Fact]
    public void A_mesh_has_a_socket_of_each_kind_for_each_loop_and_two_for_the_agent()
    {
        // An address of this test alone: all of 127.0.0.0/8 is this machine's.
        var address = IPAddress.Parse($"127.41.{Environment.ProcessId % 250 + 1}.{Environment.ProcessId / 250 % 250 + 1}");
        var sockets = MeshSockets.Open(address, _dir.Path, processors: 2);
        try
        {
            Assert.Equal(
                [
                    ("mesh-outbound.0", MeshPorts.Outbound), ("mesh-outbound.1", MeshPorts.Outbound), ("mesh-inbound.0", MeshPorts.Inbound), ("mesh-inbound.1", MeshPorts.Inbound),
                    ("mesh-hbone.0", MeshPorts.Hbone), ("mesh-hbone.1", MeshPorts.Hbone), ("mesh-registration", 0), ("mesh-inspection", 0),
                ],
                sockets.Select(socket => (socket.Name, (socket.Socket.LocalEndPoint as IPEndPoint)?.Port ?? 0)));
            foreach (var held in sockets.Where(socket => socket.Name is not (MeshSockets.Registration or MeshSockets.Inspection)))
                Assert.Equal((1, 1, MeshPorts.SocketMark), (Option(held, 0, 19), Option(held, 1, 15), Option(held, 1, 36)));
            foreach (var path in new[] { MeshSockets.RegistrationPath(_dir.Path), MeshSockets.InspectionPath(_dir.Path) })
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(path)!));
            }
        }
        finally
        {
            foreach (var socket in sockets)
                socket.Socket.Dispose();
        }

        // What a killed supervisor left is not in the way.
        File.WriteAllText(MeshSockets.RegistrationPath(_dir.Path), "");
        foreach (var socket in MeshSockets.Open(address, _dir.Path, processors: 100))
            socket.Socket.Dispose();

        static int Option(HeldSocket held, int level, int option)
        {
            Span<byte> value = stackalloc byte[4];
            held.Socket.GetRawSocketOption(level, option, value);
            return BitConverter.ToInt32(value);
        }
    }

    [Fact]
    public void What_the_proxy_is_told_of_its_node_is_a_file()
    {
        var told = new ProxyNodeFile("n1", "10.96.0.10", "10.244.0.1", "/run/weft") { ClusterCidr = "10.244.0.0/16", ServiceCidr = "10.96.0.0/16" };
        told.Save(_dir.Path);
        Assert.Equal(told, ProxyNodeFile.Load(_dir.Path));
        Assert.Contains("\"dnsAddress\": \"10.96.0.10\"", File.ReadAllText(ProxyNodeFile.PathIn(_dir.Path)));

        File.WriteAllText(ProxyNodeFile.PathIn(_dir.Path), "{");
        Assert.Throws<InvalidDataException>(() => ProxyNodeFile.Load(_dir.Path));
        Assert.Null(ProxyNodeFile.Load(_dir.File("none")));
    }

    [Fact]
    public void A_cluster_keeps_whether_it_has_a_mesh()
    {
        var path = _dir.File("cluster.json");
        File.WriteAllText(path, """{"apiPort":6443,"podCidr":"10.244.0.0/16","serviceCidr":"10.96.0.0/16","format":2}""");
        Assert.False(ClusterSettings.Load(path)!.Mesh);
        (ClusterSettings.Load(path)! with { Mesh = true }).Save(path);
        Assert.True(ClusterSettings.Load(path)!.Mesh);
    }

    public void Dispose() => _dir.Dispose();
}
