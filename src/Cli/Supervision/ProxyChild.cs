using System.Net;
using System.Net.Sockets;
using Weft.Cli.Clusters;
using Weft.Cli.Kubeconfigs;

namespace Weft.Cli.Supervision;

/// <param name="Directory">`kubeconfig` in it says how the server is reached; `state` in it is the proxy's own.</param>
/// <param name="RunDir">Gone after a reboot, as the address is that was added to the machine.</param>
/// <param name="Node">Read before the first start: a node learns it from its server.</param>
public sealed record ProxyChildOptions(string Directory, string RunDir, Func<ProxyNodeFile> Node)
{
    /// <summary>Whether the cluster has a mesh; read before each start.</summary>
    public Func<bool>? HasMesh { get; init; }

    /// <summary>False before the node has joined.</summary>
    public Func<bool>? IsWanted { get; init; }
}

/// <summary>The proxy of a node as a child of its supervisor: sockets that outlive it, a user of its own, and no rights but those that a mesh takes.</summary>
public static class ProxyChild
{
    public const string UdpSocket = "dns-udp", TcpSocket = "dns-tcp";

    /// <summary>
    /// The user and group that the proxy runs as: it parses what strangers send (decision 14). A number without a name, from a range that Debian's policy
    /// reserves, so that nobody has to be created and nobody else is it.
    /// </summary>
    public const int User = 65153;

    private const int DnsPort = 53;

    // A start takes a tenth of a second: one that lives ten times as long came up.
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromSeconds(1);

    public static ChildSpec Of(ProxyChildOptions options, string executable)
    {
        string[] command = [executable, "proxy", "--directory", options.Directory];
        var own = WhyRoot(executable, options.Directory) is null ? SetPriv() : null;
        IReadOnlyList<string> Command() => own is null ? command : [own, .. Privileges(options.HasMesh?.Invoke() == true), "--", .. command];
        return new ChildSpec("proxy", Command()[0], [])
        {
            LateArguments = () => [.. Command().Skip(1)],
            Healthy = HealthyAfter,
            StopGrace = TimeSpan.FromSeconds(3),
            Environment = new Dictionary<string, string> { ["DOTNET_EnableDiagnostics"] = "0" },
            IsWanted = options.IsWanted,
            OpenSockets = () => Open(options, own is null ? 0 : User),
            // The front door's: they come and go with the configuration.
            LeavesDescriptors = true,
            HasStandby = true,
        };
    }

    /// <summary>
    /// Of setpriv(1). A mesh takes two rights: to speak from a pod's address and mark that (IP_TRANSPARENT, SO_MARK), and to listen on the front door's ports below 1024.
    /// </summary>
    internal static IReadOnlyList<string> Privileges(bool hasMesh)
    {
        var kept = hasMesh ? ",+net_admin,+net_bind_service" : "";
        return
        [
            FormattableString.Invariant($"--reuid={User}"), FormattableString.Invariant($"--regid={User}"), "--clear-groups", "--bounding-set=-all" + kept, "--inh-caps=-all" + kept,
            .. hasMesh ? ["--ambient-caps=-all" + kept] : Array.Empty<string>(), "--no-new-privs",
        ];
    }

    public static string AccessFile(string directory) => Path.Combine(directory, "kubeconfig");

    /// <summary>Puts down how the proxy reaches its server: root's file, which the proxy alone may read.</summary>
    public static void WriteAccess(string directory, ReadOnlySpan<byte> kubeconfig)
    {
        var path = AccessFile(directory);
        AtomicFile.Update(path, kubeconfig, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        FileOwner.Set(path, 0, User);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
    }

    /// <summary>Makes what the proxy needs before its first start.</summary>
    private static IReadOnlyList<HeldSocket> Open(ProxyChildOptions options, int user)
    {
        var node = options.Node();
        var address = IPAddress.Parse(node.DnsAddress);
        PrepareDirectory(options.Directory, user);
        node.Save(options.Directory);
        NodeAddress.Add(address);
        var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            udp.Bind(new IPEndPoint(address, DnsPort));
            WidenReceiveBuffer(udp);
            tcp.Bind(new IPEndPoint(address, DnsPort));
            tcp.Listen(512);
            NodeAddress.Remember(address, options.RunDir);
            var mesh = options.HasMesh?.Invoke() == true ? MeshSockets.Open(address, options.RunDir, Environment.ProcessorCount) : [];
            return [new(UdpSocket, udp), new(TcpSocket, tcp), .. mesh];
        }
        catch (Exception failed)
        {
            udp.Dispose();
            tcp.Dispose();
            if (failed is not SocketException taken)
                throw;
            throw new IOException($"cannot listen on {address}, port {DnsPort} and the mesh's: {taken.Message}; does another cluster have this service range?", taken);
        }
    }

    /// <summary>The folder is root's; the state in it the proxy's.</summary>
    private static void PrepareDirectory(string directory, int user)
    {
        const UnixFileMode Passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(directory);
        File.SetUnixFileMode(directory, Passable);
        var state = Path.Combine(directory, "state");
        Directory.CreateDirectory(state);
        File.SetUnixFileMode(state, Private);
        FileOwner.Set(state, user, user);
        foreach (var file in Directory.EnumerateFiles(state))
            FileOwner.Set(file, user, user); // of a run as another user
    }

    // While no proxy runs, questions wait here: 4 MB are some thousands. As root the machine's limit for ordinary programs does not hold (SO_RCVBUFFORCE).
    private static void WidenReceiveBuffer(Socket udp)
    {
        const int SolSocket = 1, ReceiveBufferForce = 33, Bytes = 4 * 1024 * 1024;
        try
        {
            udp.SetRawSocketOption(SolSocket, ReceiveBufferForce, BitConverter.GetBytes(Bytes));
        }
        catch (SocketException)
        {
            udp.ReceiveBufferSize = Bytes; // without the right to it: as much as is allowed
        }
    }

    private static string? SetPriv() => new[] { "/usr/bin/setpriv", "/bin/setpriv" }.FirstOrDefault(File.Exists);

    /// <summary>The folder that keeps the proxy's user from its program or its files: the proxy runs as root then. Null: it has its own user.</summary>
    /// <param name="directory">The proxy's own, which need not exist.</param>
    public static string? WhyRoot(string executable, string directory) =>
        File.GetUnixFileMode(executable).HasFlag(UnixFileMode.OtherExecute | UnixFileMode.OtherRead) ? Closed(Path.GetDirectoryName(executable)) ?? Closed(Path.GetDirectoryName(directory)) : executable;

    /// <summary>The first folder on the way to the root that others may not pass: /root, for example, or what `mktemp -d` makes.</summary>
    private static string? Closed(string? folder)
    {
        for (; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Directory.Exists(folder) && !File.GetUnixFileMode(folder).HasFlag(UnixFileMode.OtherExecute))
                return folder;
        }

        return null;
    }
}
