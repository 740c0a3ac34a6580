using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Weft.Proxy.Tests.Support;

/// <summary>A network of its own for a test; takes root, as the tests of the node do. What is made inside (sockets, threads with all that they make) stays there.</summary>
internal sealed partial class NetworkNamespace : IDisposable
{
    private const int CloneNewNet = 0x40000000;

    public NetworkNamespace()
    {
        Name = "weft-" + RandomNumberGenerator.GetHexString(8, lowercase: true);
        Run("ip", ["netns", "add", Name]);
        Command("ip link set lo up");
    }

    public string Name { get; }

    /// <summary>A link to another one, with an address on either side.</summary>
    public void Connect(NetworkNamespace other, string link, string address, string otherLink, string otherAddress)
    {
        Run("ip", ["-n", Name, "link", "add", link, "type", "veth", "peer", "name", otherLink, "netns", other.Name]);
        Command($"ip address add {address} dev {link}");
        Command($"ip link set {link} up");
        other.Command($"ip address add {otherAddress} dev {otherLink}");
        other.Command($"ip link set {otherLink} up");
    }

    public void Command(string line, string input = "") => Run("ip", ["netns", "exec", Name, .. line.Split(' ')], input);

    /// <summary>Runs it on a thread that is inside.</summary>
    public T Inside<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>();
        var thread = new Thread(() =>
        {
            try
            {
                using var file = File.OpenHandle($"/run/netns/{Name}");
                if (setns((int)file.DangerousGetHandle(), CloneNewNet) != 0)
                    throw new IOException($"setns: {Marshal.GetLastPInvokeErrorMessage()}");
                done.SetResult(work());
            }
            catch (Exception failed)
            {
                done.SetException(failed);
            }
        });
        thread.Start();
        thread.Join();
        return done.Task.GetAwaiter().GetResult();
    }

    public void Dispose() => Run("ip", ["netns", "del", Name]);

    private static void Run(string program, string[] arguments, string input = "")
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {said}");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(int fd, int kind);
}
