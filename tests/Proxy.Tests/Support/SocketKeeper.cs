using System.Runtime.InteropServices;
using Weft.Proxy.Runtime;

namespace Weft.Proxy.Tests.Support;

    /// <summary>The supervisor's part of a handover, in the tests' own process.</summary>
    internal sealed class SocketKeeper : ISocketKeeper, IDisposable
    {
        private readonly Dictionary<string, List<int>> _kept = [];

        public IEnumerable<string> Names => _kept.Keys;

        public IReadOnlyList<int> Take(string name) => _kept.TryGetValue(name, out var kept) ? [.. kept.Select(Duplicate)] : [];

        // It has its own.
        public void GiveBack(string name, IReadOnlyList<int> descriptors)
        {
            foreach (var descriptor in descriptors)
                _ = close(descriptor);
        }

        public void Keep(string name, IReadOnlyList<int> descriptors)
        {
            Release(name);
            _kept.Add(name, [.. descriptors.Select(Duplicate)]);
        }

        public void Release(string name)
        {
            if (_kept.Remove(name, out var kept))
                kept.ForEach(descriptor => _ = close(descriptor));
        }

        public void Dispose()
        {
            foreach (var name in _kept.Keys.ToArray())
                Release(name);
        }

        private static int Duplicate(int descriptor) => fcntl(descriptor, 1030 /* F_DUPFD_CLOEXEC */, 3);

#pragma warning disable IDE1006, SYSLIB1054 // the C library's own names
        [DllImport("libc")]
        private static extern int fcntl(int descriptor, int command, int argument);

        [DllImport("libc")]
        private static extern int close(int descriptor);
#pragma warning restore IDE1006, SYSLIB1054
    }
