using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Discovery.Process;
using Weft.Storage.Sqlite;

// The registry as a process that dies, for the tests: the product's parts on a file of the store. Prints "port NUMBER" and runs until its input ends.
var time = TimeProvider.System;
await using var store = await SqliteStore.OpenAsync(new SqliteStoreOptions { Path = args[0] }, time);
await using var registry = await RegistryProcess.StartAsync(store, time, Chance(), NullLoggerFactory.Instance);
Console.WriteLine($"port {registry.Port}");
Console.In.ReadToEnd();
return 0;

#pragma warning disable RS0030 // the one place of this program where chance enters
static Random Chance() => Random.Shared;
#pragma warning restore RS0030
