using Weft.Storage;
using Weft.Storage.Crash;
using Weft.Storage.Sqlite;

// A process that dies, for the tests of the store. Prints what was acknowledged, one line each, unbuffered:
//   open <revision> <compacted>     the store is open
//   try <key> <value>               a write was begun
//   ack <revision> <key> <value>    it was acknowledged
//   failed <sentence>               it cannot be opened, or failed for good
// Modes: write <file> <seed> <failpoint|-> <hits>: concurrent writers and compactions until killed, or until the fail point is hit the given time.
//        log ...: the same without checkpoints, so that everything is still in the log.
//        open <file>: opens and waits for the end of its input.
//        fill <file>: writes until the disk is full, reports, makes room and writes again.
var output = new LineWriter(Console.OpenStandardOutput());
try
{
    switch (args)
    {
        case ["write" or "log", var path, var seed, var point, var hits]:
            return await Writing.RunAsync(path, int.Parse(seed), new KillAt(point, int.Parse(hits)), checkpoints: args[0] == "write", output);
        case ["open", var path]:
            await using (var store = await SqliteStore.OpenAsync(new SqliteStoreOptions { Path = path }, TimeProvider.System))
            {
                output.Line($"open {store.Revision} {store.CompactedRevision}");
                Console.In.ReadToEnd();
            }

            return 0;
        case ["fill", var path]:
            return await Filling.RunAsync(path, output);
        default:
            output.Line("failed usage: write | log | open | fill");
            return 2;
    }
}
catch (StoreOpenException refused)
{
    output.Line($"failed {refused.Message}");
    return 1;
}
