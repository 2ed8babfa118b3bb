using System.Reflection;
using Cake.Core;
using Cake.Core.Configuration;
using Cake.Core.Diagnostics;
using Cake.Core.IO;
using Cake.Core.Packaging;
using Cake.Core.Tooling;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting;

/// <summary>What a host registers. No type of Spectre.Console is used: a build may have another version of it.</summary>
internal static class HostServices
{
    public static void AddDefaults(IServiceCollection services)
    {
        services.AddSingleton<IConsole, CakeConsole>();
        services.AddSingleton<ICakeLog>(provider => new CakeBuildLog(provider.GetRequiredService<IConsole>(), Verbosity.Normal));
        services.AddSingleton<ICakeReportPrinter, CakeReportPrinter>();
        services.AddSingleton<IToolInstaller, LazyToolInstaller>();
        services.AddSingleton<IFrostingContext, FrostingContext>();
    }

    public static void AddTasks(IServiceCollection services, IEnumerable<Assembly> assemblies)
    {
        var tasks = assemblies.SelectMany(assembly => assembly.GetExportedTypes())
            .Where(type => type is { IsClass: true, IsAbstract: false } && typeof(IFrostingTask).IsAssignableFrom(type));
        foreach (var task in tasks)
        {
            services.AddSingleton(typeof(IFrostingTask), task);
        }
    }

    public static void AddCommandLine(IServiceCollection services, CommandLine commandLine)
    {
        services.AddSingleton<ICakeArguments>(_ => commandLine.ToArguments());
        services.AddSingleton(provider => Configuration(provider, commandLine));
    }

    private static ICakeConfiguration Configuration(IServiceProvider provider, CommandLine commandLine)
    {
        var environment = provider.GetRequiredService<ICakeEnvironment>();
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var setting in provider.GetServices<CakeSetting>())
        {
            settings[setting.Key] = setting.Value;
        }

        var arguments = commandLine.ToArguments().GetArguments().ToDictionary(pair => pair.Key, pair => pair.Value.LastOrDefault() ?? "");
        return new CakeConfigurationProvider(provider.GetRequiredService<IFileSystem>(), environment)
            .CreateConfiguration(environment.WorkingDirectory, settings, arguments);
    }
}

/// <summary>The real installer, created on first use: it loads all of NuGet, which a build without tools does not need.</summary>
internal sealed class LazyToolInstaller(IServiceProvider provider) : IToolInstaller
{
    private readonly Lazy<ToolInstaller> _installer = new(() => new ToolInstaller(
        provider.GetRequiredService<ICakeEnvironment>(),
        provider.GetRequiredService<IToolLocator>(),
        provider.GetRequiredService<ICakeConfiguration>(),
        provider.GetRequiredService<ICakeLog>(),
        provider.GetServices<IPackageInstaller>()));

    public IEnumerable<FilePath> Install(PackageReference tool) => _installer.Value.Install(tool);
}

/// <summary>A tool that the host installs before any task runs.</summary>
internal sealed record RequestedTool(Uri Uri);

/// <summary>The working directory that the build program was compiled with.</summary>
internal sealed record RequestedWorkingDirectory(DirectoryPath Path);

/// <summary>A setting that the build program was compiled with.</summary>
internal sealed record CakeSetting(string Key, string Value);
