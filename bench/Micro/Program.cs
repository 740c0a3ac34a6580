using Weft.Bench.Micro;
using Weft.Bench.Micro.Forwarding;
using Weft.Bench.Micro.Http2;
using Weft.Bench.Micro.Storage;

// Budgets of allocated bytes, which repeat from run to run; times are shown beside them and never judged.
// Ends with 1 when a budget is passed. Run in Release: dotnet run -c Release --project bench/Micro [part of a name]
var filter = args.FirstOrDefault() ?? "";
var passed = true;
Console.WriteLine($"{"what",-52} {"B/op",10} {"budget",10} {"ops/s",12}");
foreach (var budget in StorageBudgets.All.Concat(Http2Budgets.All).Concat(ForwardingBudgets.All).Where(budget => budget.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)))
{
    var measured = await budget.MeasureAsync();
    // Whole bytes: what the runtime itself allocates once during a measurement is not per operation.
    var within = Math.Round(measured.BytesPerOperation) <= budget.Bytes;
    passed &= within;
    Console.WriteLine($"{budget.Name,-52} {measured.BytesPerOperation,10:F0} {budget.Bytes,10} {measured.OperationsPerSecond,12:F0}{(within ? "" : "  over budget")}");
}

return passed ? 0 : 1;
