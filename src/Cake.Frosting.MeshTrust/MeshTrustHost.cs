using System.Reflection;
using System.Runtime;
using Cake.Core;
using Cake.Frosting.MeshTrust.Kind;
using Cake.Frosting.MeshTrust.Tasks;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust.IO;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cake.Frosting.MeshTrust;

/// <summary>Adds the tasks of MeshTrust to a Cake host.</summary>
public static class MeshTrustExtensions
{
    /// <summary>
    /// Adds the tasks and everything around them: exit codes by stage, a clean stop on Ctrl-C and at the time limit, rejection of mistyped
    /// arguments, only the report on standard output with <c>--output=json</c>, colour, and log groups and annotations in pipelines.
    /// Call it last: the result can only be run.
    /// </summary>
    /// <param name="host">The host, with the consumer's own tasks, services and lifetimes.</param>
    /// <param name="configure">Sets the options; null for the defaults.</param>
    public static MeshTrustHost UseMeshTrust(this CakeHost host, Action<MeshTrustOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        return new MeshTrustHost(host.AddAssembly(typeof(VerifyTask).Assembly), configure);
    }

    /// <summary>
    /// Registers what the tasks need and nothing else, for a host that runs in its own way; the tasks come with
    /// <c>AddAssembly(typeof(VerifyTask).Assembly)</c>. Nothing is read or started until a task of MeshTrust runs.
    /// </summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets the options; null for the defaults.</param>
    public static IServiceCollection AddMeshTrust(this IServiceCollection services, Action<MeshTrustOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = new MeshTrustOptions();
        configure?.Invoke(options);
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<RunCancellation>();
        services.TryAddSingleton(_ => StandardOutput.AsItIs());
        services.TryAddSingleton<RunOutcome>();
        services.TryAddSingleton<ToolHost>();
        services.TryAddSingleton<EngineSearch>();
        services.TryAddSingleton<EngineSnapshotReader>();
        services.TryAddSingleton<KindAccess>();
        services.TryAddSingleton<HostReader>();
        services.TryAddSingleton<PreflightReader>();
        services.TryAddSingleton(provider => new MeshSession(
            options,
            provider.GetRequiredService<RunCancellation>(), provider.GetRequiredService<StandardOutput>(),
            provider.GetRequiredService<RunOutcome>(), provider.GetRequiredService<KindAccess>(),
            provider.GetRequiredService<PreflightReader>(), provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}

/// <summary>Options of a host that adds the tasks.</summary>
public sealed class MeshTrustOptions
{
    /// <summary>Arguments of the host's own tasks, without dashes: they are never reported as a typo.</summary>
    public IReadOnlyList<string> OtherArguments { get; set; } = [];

    /// <summary>
    /// Whether to reject any argument that is not MeshTrust's, Cake's or one of <see cref="OtherArguments"/>. By default only likely
    /// typos of MeshTrust's or Cake's arguments are rejected, such as <c>--timout</c>.
    /// </summary>
    public bool RefusesUnknownArguments { get; set; }
}

/// <summary>A Cake host with MeshTrust's tasks that is ready to run.</summary>
public sealed class MeshTrustHost
{
    private readonly CakeHost _host;
    private readonly Action<MeshTrustOptions>? _configure;

    internal MeshTrustHost(CakeHost host, Action<MeshTrustOptions>? configure) => (_host, _configure) = (host, configure);

    /// <summary>Runs the targets that the command line names; without one <c>Default</c>, or <c>Verify</c> where there is none.</summary>
    /// <param name="args">The command line.</param>
    /// <returns>
    /// 0 ok; 1 any other fault; 2 arguments or topology; 3 preflight; 4 clusters; 5 contexts; 6 load balancer; 7 CA material; 8 push;
    /// 9 verify; 124 time limit; 129, 130, 143 after SIGHUP, SIGINT, SIGTERM.
    /// </returns>
    public int Run(IEnumerable<string> args)
    {
        ArgumentNullException.ThrowIfNull(args);
        var arguments = CakeCommandLine.WithTarget(CakeCommandLine.Normalize(args), CakeCommandLine.TargetsOf(Builds()));
        StartupProfile.Begin(arguments);
        ColorArgument.Apply(arguments);
        using var cancellation = new RunCancellation().ListenToSignals();
        using var output = StandardOutput.For(arguments);
        var outcome = new RunOutcome(cancellation);
        if (LiveStatus.IsInteractive) _host.ConfigureServices(services => TerminalLog.AddTo(services, LiveStatus.Width));
        var cakeExitCode = _host
            .ConfigureServices(services => services
                .AddSingleton(outcome)
                .AddSingleton(cancellation)
                .AddSingleton(output)
                .AddSingleton<IExecutionStrategy, RunExecution>()
                .AddMeshTrust(_configure))
            .Run(arguments);
        if (outcome.Refusal(cakeExitCode, arguments) is { } refusal)
            Console.Error.WriteLine(Text.Wrap(refusal.ToString(), LiveStatus.Width));
        if (cakeExitCode == 0) NextSteps.Write(outcome.Next, Console.Out, LiveStatus.Width);
        return outcome.ExitCode(cakeExitCode);
    }

    /// <summary>The assemblies that can hold tasks of the host: it does not say which it was given.</summary>
    private static IEnumerable<Assembly> Builds() =>
        from assembly in AppDomain.CurrentDomain.GetAssemblies()
        let frosting = typeof(IFrostingTask).Assembly.GetName().Name
        where !assembly.IsDynamic && assembly.GetReferencedAssemblies().Any(reference => reference.Name == frosting)
        select assembly;
}

/// <summary>
/// The runtime notes which methods a run compiles, and compiles them ahead on a second core in the next run: a third of an unchanged
/// run's time. There is one file for each target beside the program, so a new program starts without; a file that is missing or damaged
/// costs the gain alone.
/// </summary>
internal static class StartupProfile
{
    public static void Begin(IReadOnlyList<string> args)
    {
        ProfileOptimization.SetProfileRoot(AppContext.BaseDirectory);
        ProfileOptimization.StartProfile(FileFor(args));
    }

    public static string FileFor(IReadOnlyList<string> args)
    {
        var target = CakeCommandLine.Targets(args).LastOrDefault() ?? "";
        return target.Length is > 0 and <= 40 && target.All(char.IsAsciiLetterOrDigit)
            ? $"startup-{target.ToLowerInvariant()}.profile"
            : "startup.profile";
    }
}
