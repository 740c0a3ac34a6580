using System.Net;
using Weft.Node.Interop;

namespace Weft.Node.Network.Netlink;

/// <summary>
/// Addresses given out, in the files of the CNI program `host-local`, under its lock: containerd's pods and process pods take from one pool. A file
/// named after each address holds the sandbox and the interface; `last_reserved_ip.0` says where the next search starts, so that an address rests
/// for as long as possible before it is another pod's.
/// </summary>
internal sealed class AddressPool
{
    private const string Interface = "eth0", Last = "last_reserved_ip.0", Lock = "lock", Unfinished = ".reserving";
    private readonly string _directory;
    private readonly uint _first, _last;

    public AddressPool(CniOptions options)
    {
        _directory = System.IO.Path.Combine(options.IpamDirectory, options.Name);
        Range = IPNetwork.Parse(options.PodCidr);
        if (Range.BaseAddress.AddressFamily != System.Net.Sockets.AddressFamily.InterNetwork || Range.PrefixLength > 30)
            throw new ArgumentException($"pod addresses come from an IPv4 range of at least four addresses, not from {options.PodCidr}", nameof(options));
        _first = Number(Range.BaseAddress) + 1;
        _last = Number(Broadcast) - 1;
    }

    public IPNetwork Range { get; }

    /// <summary>The host's end of every pod's link; never a pod's.</summary>
    public IPAddress Gateway => Address(_first);

    public IPAddress Broadcast => Address(Number(Range.BaseAddress) | (uint.MaxValue >> Range.PrefixLength));

    /// <exception cref="IOException">All are given out, or the directory cannot be written.</exception>
    public IPAddress Reserve(string id) => Locked(create: true, () =>
    {
        var unfinished = File(Unfinished);
        System.IO.File.WriteAllText(unfinished, $"{id}\r\n{Interface}");
        try
        {
            foreach (var address in Candidates())
            {
                // Linked when it is whole: a file without a sandbox's name, which a kill could leave, would never be released.
                if (Libc.link(unfinished, File(address.ToString())) == 0)
                {
                    System.IO.File.WriteAllText(File(Last), address.ToString());
                    return address;
                }
                if (Libc.Errno != Libc.Eexist)
                    throw Libc.Failure($"reserve {address} in {_directory}", Libc.Errno);
            }
        }
        finally
        {
            System.IO.File.Delete(unfinished);
        }
        throw new IOException($"no address of {Range} is free for another pod: {_last - _first} are given out");
    })!;

    /// <summary>Gives back whatever the sandbox has; nothing is fine.</summary>
    public void Release(string id) => Locked(create: false, () =>
    {
        foreach (var file in Directory.EnumerateFiles(_directory).ToList())
        {
            if (System.IO.Path.GetFileName(file) == Lock)   // .NET would open it under a lock of its own
                continue;
            // host-local before 0.7 wrote no interface.
            if (System.IO.File.ReadAllText(file).Trim() is var holder && (holder == id || holder == $"{id}\r\n{Interface}"))
                System.IO.File.Delete(file);
        }
        return IPAddress.None;
    });

    // From the one after the last given out, round to that one itself.
    private IEnumerable<IPAddress> Candidates()
    {
        var last = System.IO.File.Exists(File(Last)) && IPAddress.TryParse(System.IO.File.ReadAllText(File(Last)).Trim(), out var read)
            && Range.Contains(read) && Number(read) is var number && number >= _first && number <= _last ? number : _last;
        var size = _last - _first + 1;
        for (uint step = 1; step <= size; step++)
        {
            var next = _first + (last - _first + step) % size;
            if (next != _first)
                yield return Address(next);
        }
    }

    private IPAddress? Locked(bool create, Func<IPAddress> work)
    {
        const int Exclusive = 2, Mode = 0x1E8;   // 0750, as host-local makes it
        if (create)
            Directory.CreateDirectory(_directory);
        else if (!Directory.Exists(_directory))
            return null;
        var file = File(Lock);
        var fd = Libc.Check(Libc.open(file, Libc.ORdonly | Libc.OCreat | Libc.OCloexec, Mode), $"open {file}");
        try
        {
            while (Libc.flock(fd, Exclusive) < 0)
            {
                if (Libc.Errno != Libc.Eintr)
                    throw Libc.Failure($"lock {file}", Libc.Errno);
            }
            return work();
        }
        finally
        {
            _ = Libc.close(fd);   // and with it the lock
        }
    }

    private string File(string name) => System.IO.Path.Combine(_directory, name);

    private static uint Number(IPAddress address) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());

    private static IPAddress Address(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new(bytes);
    }
}
