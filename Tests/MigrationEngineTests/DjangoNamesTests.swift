import Testing

@testable import MigrationEngine

/// Names that Django 5.2 gave on PostgreSQL, read from its catalog.
@Suite struct DjangoNamesTests {
    @Test(arguments: [
        (
            "auth_group_permissions", "group_id", "auth_group",
            "auth_group_permissions_group_id_b120cbf9_fk_auth_group_id"
        ),
        (
            "auth_group_permissions", "permission_id", "auth_permission",
            "auth_group_permissio_permission_id_84c5c92e_fk_auth_perm"
        ),
        (
            "auth_permission", "content_type_id", "django_content_type",
            "auth_permission_content_type_id_2f476e4b_fk_django_co"
        ),
        ("shop_every", "parent_id", "shop_every", "shop_every_parent_id_fd7f36de_fk_shop_every_id"),
        (
            "a_table_with_a_rather_long_name_in_an_application",
            "a_rather_long_reference_column_name_for_tests_id",
            "a_table_with_a_rather_long_name_in_an_application",
            "a_table_with_a_rathe_a_rather_long_refere_72cfb8fe_fk_a_table_w"
        ),
    ])
    func aForeignKeyHasDjangosName(table: String, column: String, parent: String, name: String) {
        #expect(DjangoNames.foreignKey(table, column, to: parent, "id") == name)
    }

    private static let long = "a_table_with_a_rather_long_name_in_an_application"
    private static let column = "a_rather_long_reference_column_name_for_tests_id"

    @Test(arguments: [
        (
            "\(long)_s_\(column)_fec4f425_uniq", ["s", column],
            "a_table_with_a_rather_lo_s_a_rather_long_referenc_fec4f425_uniq"
        ),
        (
            "\(long)_\(column)_72cfb8fe", [column],
            "a_table_with_a_rather_long_a_rather_long_reference_co_72cfb8fe"
        ),
        // A name of the developer's own, and one that is short enough, are kept.
        ("\(long)_\(column)_12345678", [column], "\(long)_\(column)_12345678"), ("mine", [column], "mine"),
    ])
    func anIndexOfSQLitesLengthIsCutAsDjangoCuts(name: String, columns: [String], cut: String) {
        #expect(DjangoNames.index(name, Self.long, columns) == cut)
    }
}
