using Weft.Node.Interop;

namespace Weft.Node.Tests.Interop;

public sealed class FdStreamTests
{
    // More threads than processors: what ends the stream has to come between a read that found nothing and what the reader does next.
    [Fact]
    public async Task What_was_written_before_the_end_is_read_however_the_two_meet()
    {
        using var loop = new EventLoop();
        await Task.WhenAll(Enumerable.Range(0, 4 * Environment.ProcessorCount).Select(_ => Task.Factory.StartNew(() => ReadAllAsync(loop), TaskCreationOptions.LongRunning).Unwrap()));
    }

    private static async Task ReadAllAsync(EventLoop loop)
    {
        for (var round = 0; round < 3_000; round++)
        {
            var (read, write) = Child.Pipe();
            await using var reader = new FdStream(loop, read);
            await using var writer = new FdStream(loop, write);
            var writing = Task.Run(async () =>
            {
                await writer.WriteAsync("x"u8.ToArray());
                reader.EndWhenDrained();
            });
            var buffer = new byte[4];
            Assert.Equal(1, await reader.ReadAsync(buffer));
            Assert.Equal(0, await reader.ReadAsync(buffer));
            await writing;
        }
    }
}
