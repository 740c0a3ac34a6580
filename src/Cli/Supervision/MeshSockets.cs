using System.Net;
using System.Net.Sockets;
using Weft.Api.Istio;

namespace Weft.Cli.Supervision;

/// <summary>
/// What the mesh of a node listens with. The supervisor holds it, so that what is captured while no proxy runs waits instead of being refused, and so that the
/// proxy needs no right to a path of root's.
/// </summary>
public static class MeshSockets
{
    /// <summary>Names of sockets; the first three with `.0`, `.1`, ... behind them.</summary>
    public const string Outbound = "mesh-outbound", Inbound = "mesh-inbound", Hbone = "mesh-hbone", Registration = "mesh-registration", Inspection = "mesh-inspection";

    // A loop of the proxy has one of each kind; more loops than that were not faster (docs/performance.md).
    private const int MostLoops = 8;

    // What connects in the fifth of a second that a new proxy takes; the kernel cuts it to net.core.somaxconn.
    private const int Backlog = 4096;

    /// <summary>Below it is the socket on which the agent tells the proxy who its pods are; for root alone, and out of the sight of pods.</summary>
    public static string DirectoryIn(string runDir) => Path.Combine(runDir, "mesh");

    public static string RegistrationPath(string runDir) => Path.Combine(DirectoryIn(runDir), "mesh.sock");

    /// <summary>Where the agent asks the proxy about requests and decisions.</summary>
    public static string InspectionPath(string runDir) => Path.Combine(DirectoryIn(runDir), "inspect.sock");

    /// <param name="address">On the loopback interface already.</param>
    /// <exception cref="SocketException">A port is taken, or the right to listen so is missing.</exception>
    internal static IReadOnlyList<HeldSocket> Open(IPAddress address, string runDir, int processors)
    {
        var held = new List<HeldSocket>();
        try
        {
            foreach (var (name, port) in ((string, int)[])[(Outbound, MeshPorts.Outbound), (Inbound, MeshPorts.Inbound), (Hbone, MeshPorts.Hbone)])
            {
                for (var i = 0; i < Math.Clamp(processors, 1, MostLoops); i++)
                    held.Add(new(FormattableString.Invariant($"{name}.{i}"), Listen(new IPEndPoint(address, port))));
            }
            held.Add(new(Registration, ListenForAgent(runDir, RegistrationPath(runDir))));
            held.Add(new(Inspection, ListenForAgent(runDir, InspectionPath(runDir))));
            return held;
        }
        catch
        {
            foreach (var one in held)
                one.Socket.Dispose();
            throw;
        }
    }

    private static Socket Listen(IPEndPoint at)
    {
        const int SolIp = 0, Transparent = 19, SolSocket = 1, Mark = 36, ReusePort = 15;   // ip(7), socket(7)
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            Set(SolSocket, ReusePort, 1);
            // TPROXY gives a packet to no other socket, and a connection has the address that it was meant for.
            Set(SolIp, Transparent, 1);
            // Accepted connections have it from here: what the proxy answers is never captured.
            Set(SolSocket, Mark, MeshPorts.SocketMark);
            socket.Bind(at);
            socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        void Set(int level, int option, int value) => socket.SetRawSocketOption(level, option, BitConverter.GetBytes(value));
    }

    private static Socket ListenForAgent(string runDir, string path)
    {
        const UnixFileMode Roots = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var directory = Directory.CreateDirectory(DirectoryIn(runDir));
        directory.UnixFileMode = Roots | UnixFileMode.UserExecute;
        File.Delete(path);   // of a supervisor that was killed
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            File.SetUnixFileMode(path, Roots);
            socket.Listen(8);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
