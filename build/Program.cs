using Build;
using Cake.Core;
using Cake.Frosting;
using Cake.Frosting.MeshTrust;
using Cake.Frosting.MeshTrust.Tasks;
using Microsoft.Extensions.DependencyInjection;

var arguments = CakeCommandLine.Normalize(args);
StartupProfile.Begin(arguments);
ColorArgument.Apply(arguments);
using var cancellation = new RunCancellation().ListenToSignals();
using var output = StandardOutput.For(arguments);
var outcome = new RunOutcome(cancellation);

var cakeExitCode = new CakeHost()
    .AddAssembly(typeof(VerifyTask).Assembly)
    .ConfigureServices(services => services
        .AddSingleton(outcome)
        .AddSingleton(cancellation)
        .AddSingleton(output)
        .AddSingleton<DotNetCommand>()
        .AddSingleton<IExecutionStrategy, CancelledTasks>()
        .AddMeshTrust(options => options.OtherArguments = BuildArguments.Names))
    .UseSetup<ArgumentCheck>()
    .UseTaskLifetime<LogGroups>()
    .UseTeardown<OutcomeRecord>()
    .Run(arguments);

if (outcome.Refusal(cakeExitCode, arguments) is { } refusal) Console.Error.WriteLine(refusal);
return outcome.ExitCode(cakeExitCode);
