using System.Diagnostics;

namespace Weft.Cluster.Tests.Crash;

/// <summary>A small file system at a directory, in a mount namespace of its own: it goes with the process that holds it, whatever happens to the test.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly Process _holder;
    private readonly string _directory;
    private readonly string _ballast;

    private SmallDisk(Process holder, string directory)
    {
        _holder = holder;
        _directory = directory;
        // How a process of another mount namespace is given the files of this one: proc(5), /proc/PID/root.
        _ballast = $"/proc/{holder.Id}/root{directory}/ballast";
    }

    internal static async Task<SmallDisk> MountAsync(string directory, string size)
    {
        Directory.CreateDirectory(directory);
        // cat ends with its input, which ends with this process.
        string[] arguments = ["--mount", "--propagation", "private", "sh", "-c", $"mount -t tmpfs -o size={size} none \"$0\" && echo mounted && exec cat >/dev/null", directory];
        var holder = Process.Start(new ProcessStartInfo("unshare", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        Assert.Equal("mounted", await holder.StandardOutput.ReadLineAsync());
        return new SmallDisk(holder, directory);
    }

    /// <summary>Runs its arguments where the disk is.</summary>
    internal IReadOnlyList<string> Enter => ["nsenter", $"--mount=/proc/{_holder.Id}/ns/mnt", "--"];

    /// <summary>Takes all the room that is left.</summary>
    internal void Fill()
    {
        using var file = new FileStream(_ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            foreach (var size in (int[])[1024 * 1024, 4096])
                FillBy(file, new byte[size]);
        }
        finally
        {
            file.Flush();
        }
    }

    private static void FillBy(FileStream file, byte[] block)
    {
        try
        {
            while (true)
                file.Write(block);
        }
        catch (IOException)
        {
            // no more such blocks
        }
    }

    internal void MakeRoom() => File.Delete(_ballast);

    public void Dispose()
    {
        _holder.Kill();
        _holder.WaitForExit();
        _holder.Dispose();
        Directory.Delete(_directory);
    }
}
