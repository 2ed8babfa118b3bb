using Cake.Cli;
using Cake.Core;
using Cake.Core.Configuration;
using Cake.Core.Diagnostics;
using Cake.Core.Packaging;
using Cake.Core.Scripting;
using Cake.Core.Tooling;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting;

/// <summary>One run of a host whose services are complete.</summary>
internal static class HostRun
{
    public static int Execute(IServiceProvider provider, CommandLine commandLine)
    {
        var console = provider.GetRequiredService<IConsole>();
        if (commandLine.Help)
        {
            HostTexts.WriteHelp(console);
            return 0;
        }

        if (commandLine.Version || commandLine.Info)
        {
            HostTexts.WriteVersion(console, all: !commandLine.Version);
            return 0;
        }

        provider.GetRequiredService<ICakeLog>().Verbosity = commandLine.Verbosity;
        SetWorkingDirectory(provider, commandLine);

        var engine = provider.GetRequiredService<ICakeEngine>();
        var context = provider.GetRequiredService<IFrostingContext>();
        TaskRegistration.Register(engine, context, provider.GetServices<IFrostingTask>());
        RegisterLifetimes(engine, context, provider);

        // A dry run takes precedence over a tree, and a tree over the descriptions.
        if (commandLine.Tree && !commandLine.DryRun)
        {
            new TreeScriptHost(engine, context, console).RunTargetAsync(commandLine.Targets[0]).GetAwaiter().GetResult();
            return 0;
        }

        if (commandLine.Description && !commandLine.DryRun)
        {
            HostTexts.WriteDescriptions(console, engine.Tasks);
            return 0;
        }

        foreach (var tool in provider.GetServices<RequestedTool>())
        {
            provider.GetRequiredService<IToolInstaller>().Install(new PackageReference(tool.Uri));
        }

        Run(ScriptHost(provider, engine, context, commandLine), commandLine);
        return 0;
    }

    private static ScriptHost ScriptHost(IServiceProvider provider, ICakeEngine engine, IFrostingContext context, CommandLine commandLine)
    {
        var log = provider.GetRequiredService<ICakeLog>();
        return commandLine.DryRun
            ? new DryRunScriptHost<IFrostingContext>(engine, context, log)
            : new BuildScriptHost<IFrostingContext>(
                engine,
                provider.GetRequiredService<IExecutionStrategy>(),
                context,
                provider.GetRequiredService<ICakeReportPrinter>(),
                provider.GetRequiredService<ICakeConfiguration>(),
                log);
    }

    private static void Run(ScriptHost host, CommandLine commandLine)
    {
        if (commandLine.Exclusive)
        {
            host.Settings.UseExclusiveTarget();
        }

        var run = commandLine.Targets.Count > 1 ? host.RunTargetsAsync(commandLine.Targets) : host.RunTargetAsync(commandLine.Targets[0]);
        run.GetAwaiter().GetResult();
    }

    /// <summary>The directory of the command line takes precedence over that of the program; without either, the current one.</summary>
    private static void SetWorkingDirectory(IServiceProvider provider, CommandLine commandLine)
    {
        var environment = provider.GetRequiredService<ICakeEnvironment>();
        var path = commandLine.WorkingDirectory ?? provider.GetService<RequestedWorkingDirectory>()?.Path;
        if (path is not null)
        {
            environment.WorkingDirectory = path.MakeAbsolute(environment);
        }
    }

    private static void RegisterLifetimes(ICakeEngine engine, IFrostingContext context, IServiceProvider provider)
    {
        if (provider.GetService<IFrostingSetup>() is { } setup)
        {
            engine.RegisterSetupAction(info => setup.Setup(context, info));
        }

        if (provider.GetService<IFrostingTeardown>() is { } teardown)
        {
            engine.RegisterTeardownAction(info => teardown.Teardown(context, info));
        }

        if (provider.GetService<IFrostingTaskSetup>() is { } taskSetup)
        {
            engine.RegisterTaskSetupAction(info => taskSetup.Setup(context, info));
        }

        if (provider.GetService<IFrostingTaskTeardown>() is { } taskTeardown)
        {
            engine.RegisterTaskTeardownAction(info => taskTeardown.Teardown(context, info));
        }
    }
}
