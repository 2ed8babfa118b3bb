using Cake.Core.Composition;
using Cake.Core.IO;
using Cake.Core.Packaging;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting;

/// <summary>Configures the services of a build program.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>Sets the context that is passed to tasks.</summary>
    /// <typeparam name="TContext">The context.</typeparam>
    /// <param name="services">The services.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UseContext<TContext>(this IServiceCollection services)
        where TContext : class, IFrostingContext
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<IFrostingContext, TContext>();
        return services;
    }

    /// <summary>Adds a type that sets up and tears down the run.</summary>
    /// <typeparam name="TLifetime">The type.</typeparam>
    /// <param name="services">The services.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UseLifetime<TLifetime>(this IServiceCollection services)
        where TLifetime : class, IFrostingLifetime
    {
        ArgumentNullException.ThrowIfNull(services);
        // One object for both, so that it can keep state from setup to teardown.
        services.AddSingleton<TLifetime>();
        services.AddSingleton<IFrostingSetup>(provider => provider.GetRequiredService<TLifetime>());
        services.AddSingleton<IFrostingTeardown>(provider => provider.GetRequiredService<TLifetime>());
        return services;
    }

    /// <summary>Adds a type that sets up the run.</summary>
    /// <typeparam name="TSetup">The type.</typeparam>
    /// <param name="services">The services.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UseSetup<TSetup>(this IServiceCollection services)
        where TSetup : class, IFrostingSetup
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<IFrostingSetup, TSetup>();
        return services;
    }

    /// <summary>Adds a type that tears down the run.</summary>
    /// <typeparam name="TTeardown">The type.</typeparam>
    /// <param name="services">The services.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UseTeardown<TTeardown>(this IServiceCollection services)
        where TTeardown : class, IFrostingTeardown
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<IFrostingTeardown, TTeardown>();
        return services;
    }

    /// <summary>Adds a type that sets up and tears down each task.</summary>
    /// <typeparam name="TLifetime">The type.</typeparam>
    /// <param name="services">The services.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UseTaskLifetime<TLifetime>(this IServiceCollection services)
        where TLifetime : class, IFrostingTaskLifetime
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<TLifetime>();
        services.AddSingleton<IFrostingTaskSetup>(provider => provider.GetRequiredService<TLifetime>());
        services.AddSingleton<IFrostingTaskTeardown>(provider => provider.GetRequiredService<TLifetime>());
        return services;
    }

    /// <summary>Adds a type that sets up each task.</summary>
    /// <typeparam name="TSetup">The type.</typeparam>
    /// <param name="services">The services.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UseTaskSetup<TSetup>(this IServiceCollection services)
        where TSetup : class, IFrostingTaskSetup
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<IFrostingTaskSetup, TSetup>();
        return services;
    }

    /// <summary>Adds a type that tears down each task.</summary>
    /// <typeparam name="TTeardown">The type.</typeparam>
    /// <param name="services">The services.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UseTaskTeardown<TTeardown>(this IServiceCollection services)
        where TTeardown : class, IFrostingTaskTeardown
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<IFrostingTaskTeardown, TTeardown>();
        return services;
    }

    /// <summary>Adds the registrations of a Cake module.</summary>
    /// <typeparam name="TModule">The module.</typeparam>
    /// <param name="services">The services.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UseModule<TModule>(this IServiceCollection services)
        where TModule : ICakeModule, new()
    {
        ArgumentNullException.ThrowIfNull(services);
        Cake.Cli.ServiceCollectionExtensions.UseModule(services, new TModule());
        return services;
    }

    /// <summary>Adds a package installer for tools.</summary>
    /// <typeparam name="TPackageInstaller">The installer.</typeparam>
    /// <param name="services">The services.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UsePackageInstaller<TPackageInstaller>(this IServiceCollection services)
        where TPackageInstaller : class, IPackageInstaller
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<IPackageInstaller, TPackageInstaller>();
        return services;
    }

    /// <summary>Sets a value of Cake's configuration.</summary>
    /// <param name="services">The services.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UseCakeSetting(this IServiceCollection services, string key, string value)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton(new CakeSetting(key, value));
        return services;
    }

    /// <summary>Installs a tool before the first task.</summary>
    /// <param name="services">The services.</param>
    /// <param name="uri">The tool, such as <c>dotnet:?package=GitVersion.Tool&amp;version=6.0.0</c>.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UseTool(this IServiceCollection services, Uri uri)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton(new RequestedTool(uri));
        return services;
    }

    /// <summary>Sets where tools are installed.</summary>
    /// <param name="services">The services.</param>
    /// <param name="toolPath">The directory.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UseToolPath(this IServiceCollection services, DirectoryPath toolPath)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(toolPath);
        services.AddSingleton(new CakeSetting("paths_tools", toolPath.FullPath));
        return services;
    }

    /// <summary>Sets the working directory.</summary>
    /// <param name="services">The services.</param>
    /// <param name="path">The directory.</param>
    /// <returns>The same.</returns>
    public static IServiceCollection UseWorkingDirectory(this IServiceCollection services, DirectoryPath path)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton(new RequestedWorkingDirectory(path));
        return services;
    }
}
