// swift-tools-version: 6.2
import PackageDescription

// Warnings stop the continuous integration run; a newer compiler's new warning does not stop a user's build.
let strict: [SwiftSetting] =
    [.enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility")]
    + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

let package = Package(
    name: "howdah",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "howdah", targets: ["howdah"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-crypto", "3.0.0"..<"5.0.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .systemLibrary(
            name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(name: "SQLite", dependencies: ["CSQLite"], swiftSettings: strict),
        .target(name: "Postgres", dependencies: ["CLibPQ"], swiftSettings: strict),
        .target(name: "SQLDialect", dependencies: ["Postgres"], swiftSettings: strict),
        .target(
            name: "MigrationEngine",
            dependencies: [
                "SQLDialect", "SQLite", "Postgres", "CSQLite", "CLibPQ", "CZlib",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .target(
            name: "AppProject",
            dependencies: [
                "MigrationEngine", "SQLDialect", "SQLite", "Postgres",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .target(
            name: "Operations",
            dependencies: [
                "MigrationEngine", "SQLite", "Postgres", .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .target(
            name: "Playbook",
            dependencies: ["MigrationEngine", "AppProject", "Operations", "SQLite", "Postgres"],
            swiftSettings: strict),
        .target(
            name: "TerminalUI", dependencies: [.product(name: "Yams", package: "Yams")],
            resources: [
                .embedInCode("Theme/Files/default.yaml"), .embedInCode("Theme/Files/light.yaml"),
                .embedInCode("Theme/Files/high-contrast.yaml"), .embedInCode("Theme/Files/mono.yaml"),
                .embedInCode("Theme/Files/colour-blind.yaml"),
            ],
            swiftSettings: strict),
        .target(
            name: "CNCurses",
            linkerSettings: [
                .linkedLibrary("ncursesw", .when(platforms: [.linux])),
                .linkedLibrary("tinfo", .when(platforms: [.linux])),
                .linkedLibrary("ncurses", .when(platforms: [.macOS])),
            ]),
        .target(name: "CursesTerminal", dependencies: ["TerminalUI", "CNCurses"], swiftSettings: strict),
        .target(
            name: "HowdahUI",
            dependencies: [
                "Playbook", "AppProject", "Operations", "MigrationEngine", "TerminalUI", "CursesTerminal",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .target(name: "DemoProject", dependencies: ["SQLite"], swiftSettings: strict),
        .executableTarget(
            name: "howdah",
            dependencies: [
                "MigrationEngine", "AppProject", "DemoProject", "Operations", "Playbook", "HowdahUI",
                "TerminalUI", "CursesTerminal", "SQLite", "Postgres",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["MigrationEngine", "SQLite", "Postgres"],
            path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(name: "SQLiteTests", dependencies: ["SQLite", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SQLDialectTests",
            dependencies: ["SQLDialect", "DemoProject", "SQLite", "Postgres", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "MigrationEngineTests",
            dependencies: [
                "MigrationEngine", "SQLDialect", "AppProject", "DemoProject", "SQLite", "Postgres", "CSQLite",
                "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "AppProjectTests",
            dependencies: ["AppProject", "MigrationEngine", "SQLite", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "OperationsTests",
            dependencies: ["Operations", "MigrationEngine", "SQLite", "Postgres", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "DemoProjectTests",
            dependencies: ["DemoProject", "AppProject", "MigrationEngine", "SQLite", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "PlaybookTests",
            dependencies: [
                "Playbook", "Operations", "MigrationEngine", "DemoProject", "SQLite", "Postgres",
                "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "TerminalUITests", dependencies: ["TerminalUI", "TestSupport"], exclude: ["Goldens"],
            swiftSettings: strict),
        .testTarget(
            name: "CursesTerminalTests",
            dependencies: ["CursesTerminal", "CNCurses", "TerminalUI", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "HowdahUITests",
            dependencies: [
                "HowdahUI", "Playbook", "AppProject", "Operations", "MigrationEngine", "TerminalUI",
                "TestSupport",
            ],
            exclude: ["Goldens"], swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["howdah", "SQLite", "Postgres", "MigrationEngine", "DemoProject", "TestSupport"],
            swiftSettings: strict),
    ]
)
